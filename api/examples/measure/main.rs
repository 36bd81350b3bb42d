//! What `make bench` measures of the service besides its endpoints:
//! `cargo run --release -p tenantry-api --example measure -- audit|lists [rows] [url]`, or `-- guarded`.
//!
//! One program, because linking each would take as long. `audit` and `lists` work in a new SQLite file, or in the database of
//! the URL (whose tables they make), and print their figures as JSON.
#![allow(clippy::print_stdout, missing_docs, reason = "a measuring tool, not the service")]

mod audit;
mod guarded;
mod lists;

use tenantry_api::startup::MIGRATIONS;
use tenantry_db::{DatabaseUrl, Db, PoolOptions};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[actix_web::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next();
    let mut rows = || arguments.next().map_or(Ok(1_000_000), |text| text.parse());
    match what.as_deref() {
        Some("guarded") => guarded::serve().await,
        Some("audit") => {
            let rows = rows()?;
            let (folder, db) = database(arguments.next()).await?;
            println!("{}", audit::measure(&db, folder.path(), rows).await?);
            db.close().await;
            Ok(())
        }
        Some("lists") => {
            let rows = rows()?;
            let (_folder, db) = database(arguments.next()).await?;
            println!("{}", lists::measure(&db, rows).await?);
            db.close().await;
            Ok(())
        }
        _ => Err("usage: measure audit|lists [ROWS] [URL] | measure guarded".into()),
    }
}

async fn database(url: Option<String>) -> Result<(tempfile::TempDir, Db), Failure> {
    let folder = tempfile::tempdir()?;
    let url = match url {
        Some(url) => url.parse()?,
        None => DatabaseUrl::sqlite(&folder.path().join("measure.db"))?,
    };
    let db = Db::open(&url, PoolOptions::default()).await?;
    db.migrate(&MIGRATIONS).await?;
    Ok((folder, db))
}
