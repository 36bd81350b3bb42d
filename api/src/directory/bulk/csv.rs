//! Comma-separated values (RFC 4180), record by record.

/// What begins a formula where a table is opened as a spreadsheet: the beginnings that OWASP lists.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// What some programs take for the end of a field, or of a line: a field with one of them stands in quotation marks.
const QUOTED: &[char] = &['"', ',', ';', '\t', '\n', '\r'];

/// Adds a record to `out`. No field can be a formula: one that would be is preceded by an apostrophe.
pub(super) fn write<'a>(out: &mut String, fields: impl IntoIterator<Item = &'a str>) {
    for (at, field) in fields.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let guard = if field.starts_with(FORMULA) { "'" } else { "" };
        if field.contains(QUOTED) {
            out.push('"');
            out.push_str(guard);
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(guard);
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}

/// The fields of one record, without the apostrophes that [`write`] puts before formulas; `None` when its quotes are not in
/// order.
pub(super) fn read(record: &str) -> Option<Vec<String>> {
    let (mut fields, mut rest) = (Vec::new(), record);
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => read_quoted(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (field, after) = rest.split_at(end);
                if field.contains('"') {
                    return None;
                }
                (field.to_owned(), after)
            }
        };
        fields.push(unguarded(field));
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Some(fields),
            None => return None,
        }
    }
}

/// A quoted field, and what follows its last quote.
fn read_quoted(text: &str) -> Option<(String, &str)> {
    let (mut field, mut rest) = (String::new(), text);
    loop {
        let end = rest.find('"')?;
        field.push_str(rest.get(..end)?);
        let after = rest.get(end + 1..)?;
        match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                rest = next;
            }
            None => return Some((field, after)),
        }
    }
}

fn unguarded(field: String) -> String {
    match field.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) => rest.to_owned(),
        _ => field,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_field_is_a_formula() {
        let mut out = String::new();
        write(&mut out, ["=1+1", "+1", "-1", "@a", "\tx", "a,b", "say \"x\"", "", "plain", "a;=1", "＝1"]);
        assert_eq!(out, "'=1+1,'+1,'-1,'@a,\"'\tx\",\"a,b\",\"say \"\"x\"\"\",,plain,\"a;=1\",'＝1\r\n");
    }

    #[test]
    fn quotes_have_to_be_in_order() {
        for bad in ["\"a", "a\"b", "\"a\"b", "\"a\" ,b"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(read("a,\"b\"\"c\",").unwrap(), ["a", "b\"c", ""]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(fields in proptest::collection::vec("[a=+@',\"\n -]{0,6}", 1..5)) {
            // An apostrophe before a formula is taken for the guard, which is what a spreadsheet does with it.
            prop_assume!(fields.iter().all(|field| !field.starts_with('\'')));
            let mut out = String::new();
            write(&mut out, fields.iter().map(String::as_str));
            prop_assert_eq!(read(out.strip_suffix("\r\n").unwrap()).unwrap(), fields);
        }
    }
}
