//! A filter as part of a query.
//!
//! Names of columns are constants of the program; values are always parameters. Texts are compared byte by byte: SQLite is
//! told its binary collation, and MySQL, whose binary collations of texts ignore spaces at the end, compares the bytes
//! (and also the texts, for which it has an index).

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Nullable, Text as SqlText, Timestamp};
use tenantry_db::MultiBackend;

use super::super::ast::{Comparison, Part};
use super::Filter;
use super::columns::SetColumn;
use super::predicate::{Members, Predicate, Text};

/// A filter as a condition: `.filter(filter.to_sql())`. It is NULL or false for rows that are not shown, so it can be
/// joined to others by `and` and `or`; turned into its opposite it shows nothing that it should not.
///
/// The query it is part of has to have the tables that the columns are named with.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows(Predicate);

impl Filter {
    /// The condition for `.filter(…)`.
    pub fn to_sql(&self) -> Rows {
        Rows(self.rows.clone())
    }
}

impl Expression for Rows {
    type SqlType = Nullable<Bool>;
}

impl<QS: ?Sized> AppearsOnTable<QS> for Rows {}

impl<QS: ?Sized> SelectableExpression<QS> for Rows {}

impl<GroupBy> ValidGrouping<GroupBy> for Rows {
    type IsAggregate = is_aggregate::No;
}

impl QueryId for Rows {
    type QueryId = ();

    // Each form of filter is another statement; the values in it are parameters.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<MultiBackend> for Rows {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        predicate(&self.0, &mut pass)
    }
}

type Pass<'a, 'b> = AstPass<'a, 'b, MultiBackend>;

fn predicate<'b>(of: &'b Predicate, pass: &mut Pass<'_, 'b>) -> QueryResult<()> {
    match of {
        // A filter has none of the third: it was replaced when the filter was made.
        Predicate::All => pass.push_sql("1 = 1"),
        Predicate::Nothing | Predicate::Maybe => pass.push_sql("1 = 0"),
        Predicate::And(list) => joined(list, " AND ", pass)?,
        Predicate::Or(list) => joined(list, " OR ", pass)?,
        Predicate::Present(column, wanted) => {
            pass.push_sql(column);
            pass.push_sql(if *wanted { " IS NOT NULL" } else { " IS NULL" });
        }
        Predicate::Whole(column, comparison, number) => {
            compared(column, *comparison, pass);
            pass.push_bind_param::<BigInt, _>(number)?;
        }
        Predicate::Time(column, comparison, time) => {
            compared(column, *comparison, pass);
            pass.push_bind_param::<Timestamp, _>(time)?;
        }
        Predicate::Flag(column, wanted) => {
            pass.push_sql(column);
            pass.push_sql(if *wanted { " <> 0" } else { " = 0" });
        }
        Predicate::Columns(left, comparison, right) => {
            compared(left, *comparison, pass);
            pass.push_sql(right);
        }
        Predicate::Text(column, texts, wanted) => among(column, texts, *wanted, pass)?,
        Predicate::SameText(left, right, wanted) => same_text(left, right, *wanted, pass),
        Predicate::Part(part, text, of, wanted) => {
            pass.push_sql(if *wanted { "(" } else { "NOT (" });
            part_of(*part, text, of, pass)?;
            pass.push_sql(")");
        }
        Predicate::Member(set, members, wanted) => member(*set, members, *wanted, pass)?,
    }
    Ok(())
}

/// In halves, and these in halves: SQLite takes a thousand levels at most, and a list in a row is as many as it is long.
fn joined<'b>(list: &'b [Predicate], word: &str, pass: &mut Pass<'_, 'b>) -> QueryResult<()> {
    if let [one] = list {
        return predicate(one, pass);
    }
    let (left, right) = list.split_at(list.len() / 2);
    pass.push_sql("(");
    joined(left, word, pass)?;
    pass.push_sql(word);
    joined(right, word, pass)?;
    pass.push_sql(")");
    Ok(())
}

fn compared(column: &str, comparison: Comparison, pass: &mut Pass<'_, '_>) {
    pass.push_sql(column);
    pass.push_sql(match comparison {
        Comparison::Equal => " = ",
        Comparison::NotEqual => " <> ",
        Comparison::Less => " < ",
        Comparison::LessOrEqual => " <= ",
        Comparison::Greater => " > ",
        Comparison::GreaterOrEqual => " >= ",
    });
}

fn is_mysql(pass: &Pass<'_, '_>) -> bool {
    matches!(pass.backend(), MultiBackend::Mysql(_))
}

fn among<'b>(column: &str, texts: &'b [std::sync::Arc<str>], wanted: bool, pass: &mut Pass<'_, 'b>) -> QueryResult<()> {
    let word = if wanted { " IN (" } else { " NOT IN (" };
    if !is_mysql(pass) {
        pass.push_sql(column);
        pass.push_sql(" COLLATE BINARY");
        pass.push_sql(word);
        list(texts, "", "", pass)?;
        pass.push_sql(")");
        return Ok(());
    }
    // The same bytes are the same text in every collation: the first condition takes no row away, and has an index. A
    // column of ASCII letters cannot be compared with others at all.
    let has_index = wanted && texts.iter().all(|text| text.is_ascii());
    if has_index {
        pass.push_sql("(");
        pass.push_sql(column);
        pass.push_sql(" IN (");
        list(texts, "", "", pass)?;
        pass.push_sql(") AND ");
    }
    bytes(column, pass);
    pass.push_sql(word);
    list(texts, "CAST(", " AS BINARY)", pass)?;
    pass.push_sql(if has_index { "))" } else { ")" });
    Ok(())
}

fn list<'b>(texts: &'b [std::sync::Arc<str>], before: &str, after: &str, pass: &mut Pass<'_, 'b>) -> QueryResult<()> {
    for (at, text) in texts.iter().enumerate() {
        pass.push_sql(if at == 0 { "" } else { ", " });
        pass.push_sql(before);
        pass.push_bind_param::<SqlText, str>(text)?;
        pass.push_sql(after);
    }
    Ok(())
}

fn same_text(left: &str, right: &str, wanted: bool, pass: &mut Pass<'_, '_>) {
    let sign = if wanted { " = " } else { " <> " };
    if is_mysql(pass) {
        bytes(left, pass);
        pass.push_sql(sign);
        bytes(right, pass);
    } else {
        pass.push_sql(left);
        pass.push_sql(" COLLATE BINARY");
        pass.push_sql(sign);
        pass.push_sql(right);
    }
}

/// The bytes of a column's text in UTF-8, whatever its character set.
fn bytes(column: &str, pass: &mut Pass<'_, '_>) {
    pass.push_sql("CAST(CONVERT(");
    pass.push_sql(column);
    pass.push_sql(" USING utf8mb4) AS BINARY)");
}

/// The bytes of a text, with `end` behind them (`''` for nothing).
fn bytes_of<'b>(text: &'b Text, end: &str, pass: &mut Pass<'_, 'b>) -> QueryResult<()> {
    let (before, after) = match (is_mysql(pass), text) {
        (true, Text::Column(_)) => ("CAST(CONVERT(", " USING utf8mb4) AS BINARY)"),
        (true, Text::Known(_)) => ("CAST(", " AS BINARY)"),
        (false, _) => ("CAST(", " AS BLOB)"),
    };
    pass.push_sql(before);
    match text {
        Text::Column(column) => pass.push_sql(column),
        Text::Known(text) => pass.push_bind_param::<SqlText, str>(text)?,
    }
    pass.push_sql(end);
    pass.push_sql(after);
    Ok(())
}

/// By bytes, without `LIKE`: no character of the text means anything but itself. A part of valid UTF-8 that is valid UTF-8
/// begins and ends between characters.
fn part_of<'b>(part: Part, text: &'b Text, of: &'b Text, pass: &mut Pass<'_, 'b>) -> QueryResult<()> {
    let is_mysql = is_mysql(pass);
    // SQLite takes the end of an empty sequence of bytes for NULL; with a byte more at both there is none that is empty.
    let (function, end) = match part {
        Part::Start | Part::Any => ("INSTR(", ""),
        Part::End if is_mysql => ("RIGHT(", ""),
        Part::End => ("SUBSTR(", " || '.'"),
    };
    pass.push_sql(function);
    bytes_of(text, end, pass)?;
    pass.push_sql(", ");
    match part {
        Part::Any => {
            bytes_of(of, end, pass)?;
            pass.push_sql(") > 0");
        }
        Part::Start => {
            bytes_of(of, end, pass)?;
            pass.push_sql(") = 1");
        }
        // A text that is longer cannot be the end: what is compared with it is never as long.
        Part::End => {
            if !is_mysql {
                pass.push_sql("LENGTH(");
                bytes_of(text, end, pass)?;
                pass.push_sql(") + 1 - ");
            }
            pass.push_sql("LENGTH(");
            bytes_of(of, end, pass)?;
            pass.push_sql(")) = ");
            bytes_of(of, end, pass)?;
        }
    }
    Ok(())
}

fn member<'b>(set: SetColumn, members: &'b Members, wanted: bool, pass: &mut Pass<'_, 'b>) -> QueryResult<()> {
    pass.push_sql(if wanted { "(" } else { "NOT (" });
    pass.push_sql(set.before);
    pass.push_sql(" ");
    match members {
        Members::Known(texts) => among(set.member, texts, true, pass)?,
        Members::Column(column) => same_text(set.member, column, true, pass),
    }
    pass.push_sql(set.after);
    pass.push_sql(")");
    Ok(())
}
