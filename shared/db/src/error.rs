//! What can go wrong between the application and its database.

use diesel::result::{ConnectionError, DatabaseErrorKind, Error};

use crate::url::DatabaseUrlError;

/// Why a unit of work did not happen.
///
/// A query says where it stands what `Conflict`, `ForeignKey` and `NotFound` mean to its caller; the rest are the
/// operator's, not the caller's.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection could be had in time, or it was lost. Nothing was changed; trying again later may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Others held the rows for too long, on every attempt. Nothing was changed; trying again may help.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The connection was lost while the transaction was being committed: it may or may not have happened.
    #[error("the connection was lost during the commit, so whether it happened is not known: {0}")]
    OutcomeUnknown(String),
    /// Another row has the same key. The text names the key and never holds a value.
    #[error("a row with the same key exists already: {key}")]
    Conflict {
        /// What the backend calls the key; ask with [`DbError::conflicts_on`].
        key: String,
    },
    /// A row that this one refers to does not exist (in this tenant), or is still referred to.
    #[error("a referenced row is missing, or the row is still referred to")]
    ForeignKey,
    /// There is no such row.
    #[error("no such row")]
    NotFound,
    /// The schema refused a value: absent, too long, out of range, or against a check.
    #[error("the database refused a value: {0}")]
    Invalid(String),
    /// The unit of work panicked; its transaction was rolled back and its connection closed.
    #[error("a unit of work panicked: {0}")]
    Panicked(String),
    /// A migration failed, or does not fit what was applied before.
    #[error("migration failed: {0}")]
    Migration(String),
    /// The address is wrong.
    #[error(transparent)]
    Url(#[from] DatabaseUrlError),
    /// A fault of the query, the schema or the disk.
    #[error("database error: {0}")]
    Other(#[source] Error),
}

impl DbError {
    /// Whether the same request may well succeed later (503 rather than 500).
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Busy(_))
    }

    /// What is to be said of it within another [`DbError::Unavailable`].
    pub(crate) fn into_reason(self) -> String {
        match self {
            Self::Unavailable(reason) => reason,
            other => other.to_string(),
        }
    }

    /// Whether this is a conflict on a unique key over this column. It depends on the convention that a unique key of
    /// the MySQL migrations is named after its table and columns (`users_tenant_id_username`).
    pub fn conflicts_on(&self, column: &str) -> bool {
        matches!(self, Self::Conflict { key } if key.contains(column))
    }
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        match Trouble::of(&error) {
            Some(Trouble::Lost) => return Self::Unavailable(error.to_string()),
            Some(Trouble::Deadlock | Trouble::LockTimeout) => return Self::Busy(error.to_string()),
            None => {}
        }
        match &error {
            Error::NotFound => Self::NotFound,
            Error::DatabaseError(kind, information) => match kind {
                DatabaseErrorKind::UniqueViolation => Self::Conflict { key: key_of(information.message()).to_owned() },
                DatabaseErrorKind::ForeignKeyViolation => Self::ForeignKey,
                DatabaseErrorKind::NotNullViolation | DatabaseErrorKind::CheckViolation => {
                    Self::Invalid(information.message().to_owned())
                }
                _ if refuses_a_value(information.message()) => Self::Invalid(information.message().to_owned()),
                _ => Self::Other(error),
            },
            _ => Self::Other(error),
        }
    }
}

impl From<ConnectionError> for DbError {
    fn from(error: ConnectionError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The key in `UNIQUE constraint failed: users.tenant_id, users.username` (SQLite) and in
/// `Duplicate entry 'x' for key 'users_username'` (MySQL, where the value may contain anything).
fn key_of(message: &str) -> &str {
    const SQLITE: &str = "UNIQUE constraint failed: ";
    const MYSQL: &str = "' for key '";
    if let Some(key) = message.strip_prefix(SQLITE) {
        return key;
    }
    message.rfind(MYSQL).map_or("", |at| message[at + MYSQL.len()..].trim_end_matches('\''))
}

/// Refusals that the drivers do not tell apart from other errors.
fn refuses_a_value(message: &str) -> bool {
    // MySQL 1406, 1264, 1366 and 1292; MariaDB's check constraints (4025); SQLite's strict tables.
    message.starts_with("Data too long for column")
        || message.starts_with("Out of range value for column")
        || (message.starts_with("Incorrect ") && message.contains(" value: "))
        || (message.starts_with("CONSTRAINT `") && message.contains("` failed for "))
        || (message.starts_with("cannot store ") && message.contains(" value in "))
}

/// The failures after which the same work may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The server rolled the whole transaction back so that another could go on.
    Deadlock,
    /// A lock was not given in time; only the statement was rolled back.
    LockTimeout,
    /// The connection is gone, and with it everything that was not committed.
    Lost,
}

impl Trouble {
    /// Recognises a failure. Most arrive as [`DatabaseErrorKind::Unknown`], so there is only the text to go by.
    pub(crate) fn of(error: &Error) -> Option<Self> {
        match error {
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Some(Self::Deadlock),
            Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => Some(Self::Lost),
            Error::DatabaseError(DatabaseErrorKind::Unknown, information) => Self::in_text(information.message()),
            Error::RollbackErrorOnCommit { commit_error, .. } => Self::of(commit_error),
            _ => None,
        }
    }

    fn in_text(message: &str) -> Option<Self> {
        // MySQL 1213, also from a certification failure in a Galera cluster; MariaDB 1020; TiDB 9007.
        const DEADLOCK: [&str; 3] = ["Deadlock found", "Record has changed since last read", "Write conflict"];
        // MySQL 1205; SQLite busy and locked.
        const LOCK_TIMEOUT: [&str; 3] = ["Lock wait timeout", "database is locked", "database table is locked"];
        // The client's words for a broken connection; MySQL 1053, 1317 while shutting down, 1927, 4031; Galera 1047.
        const LOST: [&str; 8] = [
            "Input/output error",
            "Connection to the server is closed",
            "Packet out of order",
            "Connection was killed",
            "Server shutdown in progress",
            "server was idle too long",
            "disconnected by the server because of inactivity",
            "WSREP has not yet prepared node",
        ];
        let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
        if says(&DEADLOCK) {
            Some(Self::Deadlock)
        } else if says(&LOCK_TIMEOUT) {
            Some(Self::LockTimeout)
        } else if says(&LOST) {
            Some(Self::Lost)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(message: &str) -> Error {
        Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()))
    }

    #[test]
    fn failures_are_recognised_by_their_text() {
        for (message, trouble) in [
            ("Deadlock found when trying to get lock; try restarting transaction", Some(Trouble::Deadlock)),
            ("Lock wait timeout exceeded; try restarting transaction", Some(Trouble::LockTimeout)),
            ("database is locked", Some(Trouble::LockTimeout)),
            ("Input/output error: Input/output error: Connection reset by peer (os error 104)", Some(Trouble::Lost)),
            ("Driver error: `Connection to the server is closed.'", Some(Trouble::Lost)),
            ("Unknown column 'x' in 'field list'", None),
        ] {
            assert_eq!(Trouble::of(&unknown(message)), trouble, "{message}");
        }
        assert!(matches!(DbError::from(unknown("database is locked")), DbError::Busy(_)));
        assert!(DbError::from(unknown("Server shutdown in progress")).is_transient());
        assert!(matches!(DbError::from(unknown("Data too long for column 'name' at row 1")), DbError::Invalid(_)));
        assert!(matches!(DbError::from(unknown("no such table: users")), DbError::Other(_)));
    }

    #[test]
    fn a_conflict_names_the_key_and_not_the_value() {
        for message in [
            "UNIQUE constraint failed: users.tenant_id, users.username",
            "Duplicate entry 't-email' for key 'x' for key 'users_tenant_id_username'",
        ] {
            let error =
                DbError::from(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, Box::new(message.to_owned())));
            assert!(error.conflicts_on("username"), "{error}");
            assert!(!error.conflicts_on("email"), "{error}");
        }
    }
}
