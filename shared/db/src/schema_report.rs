//! What the schema of a database is, in words that both backends have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl, sql_query};

use crate::connection::Connection;
use crate::db::Db;
use crate::error::DbError;

/// The tables of a database, except those that the migrations keep for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SchemaReport {
    /// By name.
    pub tables: BTreeMap<String, Table>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// In the order they were declared.
    pub columns: Vec<Column>,
    /// Columns of the primary key.
    pub primary_key: Vec<String>,
    /// Columns of the other unique keys.
    pub unique_keys: BTreeSet<Vec<String>>,
    /// Columns of the indexes that are not unique, except those over the columns of a foreign key: MySQL makes these by
    /// itself.
    pub indexes: BTreeSet<Vec<String>>,
    /// References to other tables.
    pub foreign_keys: BTreeSet<ForeignKey>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether it may hold nothing.
    pub nullable: bool,
    /// Whether a value is made when none is given.
    pub has_default: bool,
}

/// What a column holds, as diesel maps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnKind {
    /// `Text`.
    Text,
    /// `Integer` or `BigInt`: SQLite does not tell them apart.
    Integer,
    /// `Bool`.
    Bool,
    /// `Timestamp`.
    Timestamp,
    /// `Double`.
    Double,
    /// `Binary`.
    Binary,
    /// Something that this project does not use.
    Other(String),
}

/// A reference to another table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForeignKey {
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table referred to.
    pub table: String,
    /// The columns referred to.
    pub referenced: Vec<String>,
    /// What happens to the rows that refer when the row is deleted, as in `CASCADE`; `RESTRICT` is `NO ACTION`.
    pub on_delete: String,
}

impl ColumnKind {
    /// From the declared type; MySQL's `TINYINT(1)` is its boolean.
    fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let base = declared.split('(').next().unwrap_or_default().trim();
        match base {
            "TINYINT" if declared.starts_with("TINYINT(1)") => Self::Bool,
            "BOOL" | "BOOLEAN" => Self::Bool,
            "CHAR" | "VARCHAR" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "TINYTEXT" => Self::Text,
            "INT" | "INTEGER" | "BIGINT" | "SMALLINT" | "TINYINT" => Self::Integer,
            "DATETIME" | "TIMESTAMP" => Self::Timestamp,
            "DOUBLE" | "REAL" | "FLOAT" => Self::Double,
            "BLOB" | "BINARY" | "VARBINARY" | "MEDIUMBLOB" | "LONGBLOB" => Self::Binary,
            _ => Self::Other(declared),
        }
    }
}

impl SchemaReport {
    /// In which ways another schema differs, one sentence each; nothing when they are the same.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.tables.keys().chain(other.tables.keys()).collect();
        let mut differences = Vec::new();
        for name in names {
            match (self.tables.get(name), other.tables.get(name)) {
                (Some(one), Some(two)) => one.differences(name, two, &mut differences),
                (Some(_), None) => differences.push(format!("{name}: only in the first")),
                (None, _) => differences.push(format!("{name}: only in the second")),
            }
        }
        differences
    }
}

impl Table {
    fn differences(&self, name: &str, other: &Self, differences: &mut Vec<String>) {
        let mut compare = |what: &str, one: &dyn fmt::Debug, two: &dyn fmt::Debug| {
            let (one, two) = (format!("{one:?}"), format!("{two:?}"));
            if one != two {
                differences.push(format!("{name}: {what}: {one} against {two}"));
            }
        };
        for at in 0..self.columns.len().max(other.columns.len()) {
            compare("column", &self.columns.get(at), &other.columns.get(at));
        }
        compare("primary key", &self.primary_key, &other.primary_key);
        compare("unique keys", &self.unique_keys, &other.unique_keys);
        compare("indexes", &self.indexes, &other.indexes);
        compare("foreign keys", &self.foreign_keys, &other.foreign_keys);
    }
}

impl Db {
    /// Describes the schema, for tests and for the operator.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn schema_report(&self) -> Result<SchemaReport, DbError> {
        self.read(|connection| Ok(report(connection)?)).await
    }
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    declared: String,
    #[diesel(sql_type = BigInt)]
    nullable: i64,
    #[diesel(sql_type = BigInt)]
    has_default: i64,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    key_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    column_name: String,
}

#[derive(QueryableByName)]
struct ReferenceRow {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    key_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    referenced_table: String,
    #[diesel(sql_type = Text)]
    referenced_column: String,
    #[diesel(sql_type = Text)]
    on_delete: String,
}

/// The questions, in the words of one backend, each ordered by table, key and position.
struct Questions {
    columns: &'static str,
    keys: &'static str,
    references: &'static str,
}

const SQLITE: Questions = Questions {
    columns: "SELECT t.name AS table_name, c.name AS column_name, c.type AS declared, \
              c.\"notnull\" = 0 AND c.pk = 0 AS nullable, c.dflt_value IS NOT NULL AS has_default \
              FROM sqlite_schema t, pragma_table_xinfo(t.name) c \
              WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid",
    // The primary key comes from the table, because SQLite has no index for one that is the row id.
    keys: "SELECT * FROM ( \
             SELECT t.name AS table_name, '' AS key_name, 'pk' AS kind, c.name AS column_name, c.pk AS position \
             FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' AND c.pk > 0 \
             UNION ALL \
             SELECT t.name, i.name, CASE WHEN i.\"unique\" THEN 'unique' ELSE 'index' END, \
               COALESCE(c.name, '(expression)'), c.seqno \
             FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c \
             WHERE t.type = 'table' AND i.origin <> 'pk') \
           WHERE table_name NOT LIKE 'sqlite_%' ORDER BY table_name, key_name, position",
    references: "SELECT t.name AS table_name, CAST(f.id AS TEXT) AS key_name, f.\"from\" AS column_name, \
                 f.\"table\" AS referenced_table, COALESCE(f.\"to\", '') AS referenced_column, f.on_delete \
                 FROM sqlite_schema t, pragma_foreign_key_list(t.name) f \
                 WHERE t.type = 'table' ORDER BY t.name, f.id, f.seq",
};

const MYSQL: Questions = Questions {
    columns: "SELECT table_name AS table_name, column_name AS column_name, column_type AS declared, \
              CAST(is_nullable = 'YES' AS SIGNED) AS nullable, \
              CAST(column_default IS NOT NULL AND column_default <> 'NULL' AS SIGNED) AS has_default \
              FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position",
    keys: "SELECT table_name AS table_name, index_name AS key_name, \
           CASE WHEN index_name = 'PRIMARY' THEN 'pk' WHEN non_unique = 0 THEN 'unique' ELSE 'index' END AS kind, \
           COALESCE(column_name, '(expression)') AS column_name \
           FROM information_schema.statistics WHERE table_schema = DATABASE() \
           ORDER BY table_name, index_name, seq_in_index",
    references: "SELECT k.table_name AS table_name, k.constraint_name AS key_name, k.column_name AS column_name, \
                 k.referenced_table_name AS referenced_table, k.referenced_column_name AS referenced_column, \
                 r.delete_rule AS on_delete \
                 FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r \
                 ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name \
                 AND r.table_name = k.table_name \
                 WHERE k.table_schema = DATABASE() ORDER BY k.table_name, k.constraint_name, k.ordinal_position",
};

fn report(connection: &mut Connection) -> QueryResult<SchemaReport> {
    let questions = match connection {
        Connection::Sqlite(_) => SQLITE,
        Connection::Mysql(_) => MYSQL,
    };
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in sql_query(questions.columns).load::<ColumnRow>(connection)? {
        tables.entry(row.table_name).or_default().columns.push(Column {
            name: row.column_name,
            kind: ColumnKind::of(&row.declared),
            nullable: row.nullable != 0,
            has_default: row.has_default != 0,
        });
    }

    let mut keys: BTreeMap<(String, String, String), Vec<String>> = BTreeMap::new();
    for row in sql_query(questions.keys).load::<KeyRow>(connection)? {
        keys.entry((row.table_name, row.key_name, row.kind)).or_default().push(row.column_name);
    }
    for ((table_name, _, kind), columns) in keys {
        let table = tables.entry(table_name).or_default();
        match kind.as_str() {
            "pk" => table.primary_key = columns,
            "unique" => drop(table.unique_keys.insert(columns)),
            _ => drop(table.indexes.insert(columns)),
        }
    }

    let mut references: BTreeMap<(String, String), ForeignKey> = BTreeMap::new();
    for row in sql_query(questions.references).load::<ReferenceRow>(connection)? {
        let reference = references.entry((row.table_name, row.key_name)).or_insert_with(|| ForeignKey {
            columns: Vec::new(),
            table: row.referenced_table,
            referenced: Vec::new(),
            on_delete: row.on_delete.replace("RESTRICT", "NO ACTION"),
        });
        reference.columns.push(row.column_name);
        reference.referenced.push(row.referenced_column);
    }
    for ((table_name, _), reference) in references {
        let table = tables.entry(table_name).or_default();
        table.indexes.remove(&reference.columns);
        table.foreign_keys.insert(reference);
    }

    tables.remove("__diesel_schema_migrations");
    Ok(SchemaReport { tables })
}
