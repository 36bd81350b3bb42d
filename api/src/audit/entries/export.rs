//! The forms that entries leave in.

use std::str::FromStr;

use tenantry_types::ParseError;

use super::model::EntryView;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// One JSON object a line.
    NdJson,
    /// Comma-separated values (RFC 4180).
    Csv,
}

impl FromStr for Format {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "ndjson" => Ok(Self::NdJson),
            "csv" => Ok(Self::Csv),
            _ => Err(ParseError::new("must be ndjson or csv")),
        }
    }
}

impl Format {
    /// The form that `Accept` asks for. Whoever takes anything gets JSON.
    pub(super) fn accepted(accept: &str) -> Self {
        let csv = |range: &str| {
            range.trim().split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/csv"))
        };
        if accept.split(',').any(csv) { Self::Csv } else { Self::NdJson }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::NdJson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::NdJson => "audit.ndjson",
            Self::Csv => "audit.csv",
        }
    }

    /// What comes before the first entry.
    pub(super) fn head(self) -> String {
        match self {
            Self::NdJson => String::new(),
            Self::Csv => format!("{}\r\n", COLUMNS.join(",")),
        }
    }

    /// Adds an entry.
    pub(super) fn write(self, entry: &EntryView, text: &mut String) {
        match self {
            Self::NdJson => {
                text.push_str(&serde_json::to_string(entry).unwrap_or_default());
                text.push('\n');
            }
            Self::Csv => {
                for (at, cell) in cells(entry).iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    push_cell(cell, text);
                }
                text.push_str("\r\n");
            }
        }
    }
}

const COLUMNS: [&str; 17] = [
    "id",
    "occurred_at",
    "actor_kind",
    "actor_id",
    "actor_tenant_id",
    "client_id",
    "acting_party_kind",
    "acting_party_id",
    "action",
    "target_kind",
    "target_id",
    "changes",
    "address",
    "request_id",
    "sealed",
    "batch",
    "position",
];

fn cells(entry: &EntryView) -> [String; COLUMNS.len()] {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let (party_kind, party_id) =
        entry.actor.acting_party.as_ref().map(|party| (party.kind.clone(), party.id.clone())).unwrap_or_default();
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        entry.id.clone(),
        entry.occurred_at.to_string(),
        entry.actor.kind.clone(),
        entry.actor.id.clone(),
        optional(&entry.actor.tenant_id),
        optional(&entry.actor.client_id),
        party_kind,
        party_id,
        entry.action.clone(),
        entry.target.kind.clone(),
        entry.target.id.clone(),
        entry.changes.to_string(),
        optional(&entry.address),
        optional(&entry.request_id),
        entry.sealed.is_some().to_string(),
        number(entry.sealed.map(|place| place.batch)),
        number(entry.sealed.map(|place| place.position)),
    ]
}

/// A cell in quotation marks. What a spreadsheet would take for a formula gets an apostrophe before it, which makes it a
/// text there: the beginnings that do are those that OWASP lists.
fn push_cell(cell: &str, text: &mut String) {
    text.push('"');
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        text.push('\'');
    }
    text.push_str(&cell.replace('"', "\"\""));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_two() {
        let cell = |cell: &str| {
            let mut text = String::new();
            push_cell(cell, &mut text);
            text
        };
        assert_eq!(cell("a,b\r\n\"c\""), "\"a,b\r\n\"\"c\"\"\"");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"] {
            assert_eq!(cell(formula), format!("\"'{formula}\""), "{formula}");
        }
        assert_eq!(cell(""), "\"\"");
    }

    #[test]
    fn who_takes_anything_gets_json() {
        for (accept, format) in [
            ("", Format::NdJson),
            ("*/*", Format::NdJson),
            ("application/x-ndjson", Format::NdJson),
            ("text/csv", Format::Csv),
            ("text/html, Text/CSV;q=0.5", Format::Csv),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept}");
        }
        assert!("xml".parse::<Format>().is_err());
    }
}
