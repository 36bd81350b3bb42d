//! Where the database is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

/// Which family of databases is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// A file, embedded in the process.
    Sqlite,
    /// A server that speaks the MySQL protocol.
    Mysql,
}

impl Backend {
    /// `sqlite` or `mysql`, as in the URL and in the names of the migration folders.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Mysql => "mysql",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The address of a database. Neither `Debug` nor `Display` shows the password.
///
/// - `sqlite://data/idp.db` is a file below the working directory, `sqlite:///var/lib/idp.db` one at an absolute path.
///   Everything after `sqlite://` is the path, as it stands.
/// - `mysql://user:password@host:3306/database`, user and password percent-encoded. Parameters: `tls=required`
///   (encrypted, certificate checked against the public authorities), `tls_ca=/path/to/ca.pem` (the same, against this
///   authority), `socket=/path/to/mysqld.sock` (instead of TCP).
#[derive(Clone)]
pub struct DatabaseUrl(pub(crate) Target);

#[derive(Clone)]
pub(crate) enum Target {
    Sqlite(PathBuf),
    Mysql(Box<MysqlTarget>),
}

#[derive(Clone)]
pub(crate) struct MysqlTarget {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: SecretString,
    pub database: String,
    pub socket: Option<String>,
    pub tls: Tls,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    Off,
    PublicAuthorities,
    Authority(PathBuf),
}

/// Why a text is not the address of a database. Never repeats the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// Neither `sqlite://` nor `mysql://`.
    #[error("a database URL starts with sqlite:// or mysql://")]
    Scheme,
    /// An SQLite database in memory would be a different one for every connection.
    #[error("SQLite databases in memory are not supported: give a path, as in sqlite://data/tenantry.db")]
    InMemory,
    /// No usable path.
    #[error("the path of an SQLite database must name a file and hold neither `?`, `#` nor control characters")]
    Path,
    /// Not a URL.
    #[error("not a valid URL of the form mysql://user:password@host:port/database")]
    Malformed,
    /// No user is named.
    #[error("a mysql:// URL names a user: mysql://user:password@host:port/database")]
    User,
    /// No database is named.
    #[error("a mysql:// URL names a database: mysql://user:password@host:port/database")]
    Database,
    /// A parameter that means nothing here.
    #[error("a mysql:// URL takes the parameters tls=required, tls=off, tls_ca=<file> and socket=<path> only")]
    Parameter,
}

impl DatabaseUrl {
    /// The address of the SQLite database in this file.
    ///
    /// # Errors
    /// When the path cannot be written as a URL.
    pub fn sqlite(path: &Path) -> Result<Self, DatabaseUrlError> {
        sqlite_target(path.to_str().ok_or(DatabaseUrlError::Path)?).map(Self)
    }

    /// Which backend the scheme names.
    pub const fn backend(&self) -> Backend {
        match self.0 {
            Target::Sqlite(_) => Backend::Sqlite,
            Target::Mysql(_) => Backend::Mysql,
        }
    }

    /// The file of an SQLite database.
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.0 {
            Target::Sqlite(path) => Some(path),
            Target::Mysql(_) => None,
        }
    }

    /// The same server with another database; an SQLite address stays what it is.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let mut url = self.clone();
        if let Target::Mysql(target) = &mut url.0 {
            name.clone_into(&mut target.database);
        }
        url
    }

    /// Takes the password out of a text that may quote it.
    pub(crate) fn redact(&self, text: &str) -> String {
        match &self.0 {
            Target::Mysql(target) if !target.password.expose_secret().is_empty() => {
                text.replace(target.password.expose_secret(), "…")
            }
            _ => text.to_owned(),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            return sqlite_target(path).map(Self);
        }
        if text.starts_with("sqlite:") {
            return Err(if text.contains(":memory:") { DatabaseUrlError::InMemory } else { DatabaseUrlError::Scheme });
        }
        if text.starts_with("mysql://") {
            return mysql_target(text).map(|target| Self(Target::Mysql(Box::new(target))));
        }
        Err(DatabaseUrlError::Scheme)
    }
}

fn sqlite_target(path: &str) -> Result<Target, DatabaseUrlError> {
    if path.contains(":memory:") {
        return Err(DatabaseUrlError::InMemory);
    }
    let forbidden = |c: char| c == '?' || c == '#' || c.is_control();
    if path.is_empty() || path.ends_with('/') || path.contains(forbidden) {
        return Err(DatabaseUrlError::Path);
    }
    Ok(Target::Sqlite(PathBuf::from(path)))
}

fn mysql_target(text: &str) -> Result<MysqlTarget, DatabaseUrlError> {
    let url = url::Url::parse(text).map_err(|_| DatabaseUrlError::Malformed)?;
    let decoded =
        |part: &str| percent_decode_str(part).decode_utf8().map(String::from).map_err(|_| DatabaseUrlError::Malformed);
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(DatabaseUrlError::Malformed)?;
    if url.username().is_empty() {
        return Err(DatabaseUrlError::User);
    }
    let database = decoded(url.path().trim_start_matches('/'))?;
    if database.is_empty() || database.contains('/') {
        return Err(DatabaseUrlError::Database);
    }
    if url.fragment().is_some() {
        return Err(DatabaseUrlError::Malformed);
    }
    let mut target = MysqlTarget {
        // The brackets of an IPv6 address belong to the URL, not to the address.
        host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        port: url.port().unwrap_or(3306),
        user: decoded(url.username())?,
        password: SecretString::from(decoded(url.password().unwrap_or_default())?),
        database,
        socket: None,
        tls: Tls::Off,
    };
    for (name, value) in url.query_pairs() {
        match (name.as_ref(), value.as_ref()) {
            ("tls", "off") => target.tls = Tls::Off,
            ("tls", "required") if target.tls == Tls::Off => target.tls = Tls::PublicAuthorities,
            ("tls", "required") => {}
            ("tls_ca", file) if !file.is_empty() => target.tls = Tls::Authority(PathBuf::from(file)),
            ("socket", path) if !path.is_empty() => target.socket = Some(path.to_owned()),
            _ => return Err(DatabaseUrlError::Parameter),
        }
    }
    Ok(target)
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Target::Mysql(target) => {
                let MysqlTarget { host, port, user, database, socket, .. } = &**target;
                match socket {
                    Some(socket) => write!(f, "mysql://{user}@{host}/{database}?socket={socket}"),
                    None if host.contains(':') => write!(f, "mysql://{user}@[{host}]:{port}/{database}"),
                    None => write!(f, "mysql://{user}@{host}:{port}/{database}"),
                }
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl<'de> serde::Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
        text.parse()
    }

    #[test]
    fn sqlite_paths_are_taken_as_they_stand() {
        let url = parse("sqlite://data/my idp.db").unwrap();
        assert_eq!(url.backend(), Backend::Sqlite);
        assert_eq!(url.sqlite_path(), Some(Path::new("data/my idp.db")));
        assert_eq!(parse("sqlite:///var/lib/idp.db").unwrap().sqlite_path(), Some(Path::new("/var/lib/idp.db")));
        assert_eq!(url.to_string(), "sqlite://data/my idp.db");
    }

    #[test]
    fn databases_in_memory_and_texts_that_are_no_address_are_refused() {
        for (text, error) in [
            ("sqlite::memory:", DatabaseUrlError::InMemory),
            ("sqlite://:memory:", DatabaseUrlError::InMemory),
            ("sqlite://file::memory:?cache=shared", DatabaseUrlError::InMemory),
            ("sqlite://", DatabaseUrlError::Path),
            ("sqlite://data/", DatabaseUrlError::Path),
            ("sqlite://data/idp.db?mode=ro", DatabaseUrlError::Path),
            ("sqlite:data.db", DatabaseUrlError::Scheme),
            ("postgres://user@host/db", DatabaseUrlError::Scheme),
            ("mysql://host/db", DatabaseUrlError::User),
            ("mysql://user@host", DatabaseUrlError::Database),
            ("mysql://user@host/", DatabaseUrlError::Database),
            ("mysql://user@host/a/b", DatabaseUrlError::Database),
            ("mysql://user@host:99999/db", DatabaseUrlError::Malformed),
            ("mysql://user@host/db?require_ssl=true", DatabaseUrlError::Parameter),
            ("mysql://user@host/db?tls=maybe", DatabaseUrlError::Parameter),
        ] {
            assert_eq!(parse(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn mysql_parts_are_decoded_and_the_password_is_never_shown() {
        let url = parse("mysql://app%40x:s%2Fecret%3A1@db.example:3307/idp?tls_ca=/etc/ca.pem").unwrap();
        let Target::Mysql(target) = &url.0 else { panic!("not MySQL") };
        assert_eq!((target.user.as_str(), target.password.expose_secret()), ("app@x", "s/ecret:1"));
        assert_eq!((target.host.as_str(), target.port, target.database.as_str()), ("db.example", 3307, "idp"));
        assert!(target.tls == Tls::Authority(PathBuf::from("/etc/ca.pem")));
        assert_eq!(url.to_string(), "mysql://app@x@db.example:3307/idp");
        assert!(!format!("{url:?}").contains("ecret"));
        assert_eq!(url.redact("denied for s/ecret:1"), "denied for …");
        assert_eq!(url.with_database("other").to_string(), "mysql://app@x@db.example:3307/other");
        assert_eq!(parse("mysql://root@[::1]/idp").unwrap().to_string(), "mysql://root@[::1]:3306/idp");
    }
}
