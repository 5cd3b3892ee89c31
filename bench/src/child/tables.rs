//! The table objects of an archive, made once more, as a run makes each after its raw object.

use super::collect::open_archive;
use super::{Outcome, Source};
use crate::Failure;
use entratrail::config::Config;
use entratrail::log::Stream;

/// Makes every table object of the span in the bucket that the environment names.
pub(super) async fn make(source: &Source) -> Result<Outcome, Failure> {
    let archive = open_archive(&Config::read(|name| std::env::var(name).ok())?).await;
    let mut outcome = Outcome::default();
    for stream in Stream::all() {
        for day in archive.list(stream, source.first_day).await?.ledgers {
            for row in archive.ledger(stream, day).await?.0.reads_with_object() {
                let made = archive.write_table(stream, row, std::future::pending()).await?;
                outcome.records += made.map_or(0, |table| table.rows);
            }
        }
    }
    Ok(outcome)
}
