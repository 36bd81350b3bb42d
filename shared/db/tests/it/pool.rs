//! Opening, and waiting for a turn.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use tenantry_db::{Backend, Connection, DatabaseUrl, Db, DbError, PoolOptions};
use tenantry_testing::TestDatabase;

use crate::support::{MIGRATIONS, add, databases, insert, place, places, scope};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_is_all_in_use_is_unavailable_and_then_available_again() {
    for database in TestDatabase::on_each_backend().await {
        let options = PoolOptions { max_connections: 1, acquire_timeout: Duration::from_millis(50) };
        let db = Db::open(database.url(), options).await.unwrap();
        let (reached, here) = tokio::sync::oneshot::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let mut reached = Some(reached);
        let busy = {
            let db = db.clone();
            tokio::spawn(async move {
                db.read(move |_| {
                    reached.take().unwrap().send(()).unwrap();
                    released.recv().unwrap();
                    Ok::<_, DbError>(())
                })
                .await
            })
        };
        here.await.unwrap();
        let refused = db.ping().await;
        assert!(matches!(refused, Err(DbError::Unavailable(_))), "{refused:?}");
        release.send(()).unwrap();
        busy.await.unwrap().unwrap();
        db.ping().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_too_long_to_write_to_a_file_is_told_that_it_is_busy() {
    let database = TestDatabase::sqlite();
    let options = PoolOptions { max_connections: 2, acquire_timeout: Duration::from_millis(50) };
    let db = Db::open(database.url(), options).await.unwrap();
    let (reached, here) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let mut reached = Some(reached);
    let writing = {
        let db = db.clone();
        tokio::spawn(async move {
            db.write(move |_| {
                reached.take().unwrap().send(()).unwrap();
                released.recv().unwrap();
                Ok::<_, DbError>(())
            })
            .await
        })
    };
    here.await.unwrap();
    let refused = db.write(|_| Ok::<_, DbError>(())).await;
    assert!(matches!(&refused, Err(error @ DbError::Busy(_)) if error.is_transient()), "{refused:?}");
    // Reading goes on meanwhile.
    db.ping().await.unwrap();
    release.send(()).unwrap();
    writing.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_made_as_they_are_needed_and_never_too_many() {
    for (_database, db) in databases().await {
        assert!(db.pool_state().connections <= 1, "{:?}", db.pool_state());
        let reads: Vec<_> = (0..64)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { db.ping().await })
            })
            .collect();
        for read in reads {
            read.await.unwrap().unwrap();
        }
        let state = db.pool_state();
        assert!(state.connections <= state.max && state.idle == state.connections, "{state:?}");
    }
}

#[tokio::test]
async fn a_transaction_costs_the_server_its_statements_and_two_more() {
    #[derive(diesel::QueryableByName)]
    struct Status {
        #[diesel(sql_type = diesel::sql_types::Text, column_name = "Value")]
        value: String,
    }
    async fn questions(db: &Db) -> u64 {
        let ask = |c: &mut _| sql_query("SHOW SESSION STATUS LIKE 'Questions'").get_result::<Status>(c);
        let status = db.write(move |c| ask(c).map_err(DbError::from)).await.unwrap();
        status.value.parse().unwrap()
    }

    let Some(database) = TestDatabase::on_server().await else { return };
    let options = PoolOptions { max_connections: 1, ..PoolOptions::default() };
    let db = Db::open(database.url(), options).await.unwrap();
    db.migrate(&MIGRATIONS).await.unwrap();
    let scope = scope();
    add(&db, &place(scope, "prepares the statement")).await;
    let before = questions(&db).await;
    add(&db, &place(scope, "is counted")).await;
    let after = questions(&db).await;
    // The commit of the first question; begin, insert and commit; begin and the second question.
    assert_eq!(after - before, 6);
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::sqlite(folder.path()).unwrap();
    let error = Db::open(&url, PoolOptions::default()).await.unwrap_err();
    assert!(matches!(&error, DbError::Unavailable(text) if text.contains("unable to open")), "{error}");

    let not_a_database = folder.path().join("text.db");
    std::fs::write(&not_a_database, "not a database, but long enough to be taken for the header of one".repeat(20))
        .unwrap();
    let url = DatabaseUrl::sqlite(&not_a_database).unwrap();
    let error = Db::open(&url, PoolOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");

    let closed_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url: DatabaseUrl = format!("mysql://app:s3cret@127.0.0.1:{closed_port}/idp").parse().unwrap();
    let error = Db::open(&url, PoolOptions::default()).await.unwrap_err().to_string();
    assert!(error.contains("refused") && error.contains("127.0.0.1") && !error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_wrong_password_is_told_without_the_password() {
    let Some(database) = TestDatabase::on_server().await else { return };
    let right = database.url().to_string();
    let (_, place) = right.split_once('@').unwrap();
    let url: DatabaseUrl = format!("mysql://nobody:s3cret@{place}").parse().unwrap();
    let error = Db::open(&url, PoolOptions::default()).await.unwrap_err().to_string();
    assert!(error.contains("Access denied for user 'nobody'"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");

    let error = Db::open(&database.url().with_database("no_such_database"), PoolOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("Unknown database 'no_such_database'"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_its_owners_alone_and_its_folder_is_made() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/more/idp.db");
    let url = DatabaseUrl::sqlite(&path).unwrap();
    let db = Db::open(&url, PoolOptions::default()).await.unwrap();
    db.migrate(&MIGRATIONS).await.unwrap();
    for file in [path.clone(), path.with_extension("db-wal")] {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_the_work_in_flight_and_ends_the_connections() {
    for (database, db) in databases().await {
        let (reached, here) = tokio::sync::oneshot::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let mut reached = Some(reached);
        let scope = scope();
        let unit = {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(move |c| {
                    reached.take().unwrap().send(()).unwrap();
                    released.recv().unwrap();
                    insert(c, &place(scope, "hall"))
                })
                .await
            })
        };
        here.await.unwrap();
        let closing = {
            let db = db.clone();
            tokio::spawn(async move { db.close().await })
        };
        release.send(()).unwrap();
        unit.await.unwrap().unwrap();
        closing.await.unwrap();
        assert_eq!(db.pool_state().connections, 0);
        let refused = db.ping().await;
        assert!(matches!(&refused, Err(DbError::Unavailable(why)) if why.contains("closed")), "{refused:?}");
        if let Some(path) = database.url().sqlite_path() {
            assert!(path.exists() && !path.with_extension("db-wal").exists());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_keeps_too_many_statements_is_replaced() {
    for database in TestDatabase::on_each_backend().await {
        let options = PoolOptions { max_connections: 1, ..PoolOptions::default() };
        let db = Db::open(database.url(), options).await.unwrap();
        db.migrate(&MIGRATIONS).await.unwrap();
        // Two to the power of eleven forms of one query.
        let ask = |forms: std::ops::Range<u32>| {
            db.read(move |conn| {
                let was_here = is_marked(conn)?;
                for form in forms.clone() {
                    let mut query = places::table.select(places::name).into_boxed();
                    for bit in 0..11 {
                        query = if form & (1 << bit) == 0 {
                            query.filter(places::id.ne("none"))
                        } else {
                            query.filter(places::name.ne("none"))
                        };
                    }
                    let found: Vec<String> = query.load(conn)?;
                    assert!(found.is_empty());
                }
                Ok::<_, DbError>(was_here)
            })
        };
        assert!(!ask(0..500).await.unwrap());
        assert!(ask(0..500).await.unwrap() && ask(0..500).await.unwrap(), "what is prepared is used again");
        assert!(ask(500..1_200).await.unwrap(), "nothing ends while it is used");
        assert!(!ask(0..500).await.unwrap(), "another has taken its place");
        assert!(ask(0..500).await.unwrap());
    }
}

#[derive(QueryableByName)]
struct Mark {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

/// Whether this connection was asked before.
fn is_marked(conn: &mut Connection) -> Result<bool, DbError> {
    let (ask, mark) = match conn.backend() {
        Backend::Mysql => ("SELECT CAST(COALESCE(@mark, 0) AS SIGNED) AS value", "SET @mark = 4321"),
        Backend::Sqlite => ("SELECT cache_size AS value FROM pragma_cache_size", "PRAGMA cache_size = 4321"),
    };
    let Mark { value } = sql_query(ask).get_result(conn)?;
    conn.batch_execute(mark)?;
    Ok(value == 4321)
}
