//! CPU: what a record costs beyond the codec that nobody can do without.

use crate::child::{Outcome, Task, page_bytes, sign_on};
use crate::stage::{STREAM, Setting, Stage};
use crate::table::{Table, Target, as_float};
use crate::{Failure, progress};
use graph_simulator::RequestKind;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const RECORDS: u32 = 100_000;
/// Multiple of the codec's CPU time that the product may take.
const MOST: f64 = 1.8;

/// Collects 100,000 sign-ins; reads them back with and without making their tables; unpacks the
/// same answers and compresses the same objects again; reads them plainly.
pub(crate) async fn measure() -> Result<Table, Failure> {
    let stage = Stage::new(Setting::unlimited(vec![(STREAM, RECORDS)], 1)).await?;
    progress("cpu: the product");
    let product = stage.collect().await?;
    progress("cpu: the tables by themselves");
    let with = stage.read_back(true).await?;
    let without = stage.read_back(false).await?;
    let tables = Outcome { cpu_seconds: with.cpu_seconds - without.cpu_seconds, ..with };
    progress("cpu: saving the answers that it was given");
    let folder = TempDir::with_prefix("entratrail-bench-")?;
    let answers = save_answers(&stage, folder.path()).await?;
    let pages = answers.len();
    progress("cpu: the codec by itself");
    let codec = codec(&stage, answers).await?;
    progress("cpu: page after page");
    let plain = stage.read_plainly().await?;

    let mut table = Table::new(format!(
        "cpu: a day of 100,000 beta sign-ins in {pages} pages, no limit, no latency; user and \
         system time of the process"
    ));
    table.add("unpacking and compressing the same bytes alone", shown(codec));
    table.add("a plain reader, which only unpacks and counts", shown(plain));
    table.add("the product", shown(product));
    let read = Outcome { cpu_seconds: product.cpu_seconds - tables.cpu_seconds, ..product };
    table.add("of that without the tables", shown(read));
    let ratio = read.cpu_seconds / codec.cpu_seconds;
    let target = Target::new(format!("at most {MOST}"), ratio <= MOST);
    table.add_with_target("that, as a multiple of the codec alone", format!("{ratio:.2}"), target);
    let target = Target::new("at most the rest", tables.cpu_seconds <= read.cpu_seconds);
    table.add_with_target("and the tables", shown(tables), target);
    Ok(table)
}

/// Asks the simulator again for every page that it served, and saves each as it is sent.
async fn save_answers(stage: &Stage, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let requests = stage.simulator.requests();
    let pages = requests
        .iter()
        .filter(|request| request.kind == RequestKind::Page && request.status == 200);
    let http = reqwest::Client::new();
    let token = sign_on(&http, &stage.source()).await?;
    let mut answers = Vec::new();
    for (index, page) in pages.enumerate() {
        let link = format!("{}{}", stage.simulator.url(), page.path_and_query);
        let file = folder.join(format!("{index}.gz"));
        std::fs::write(&file, page_bytes(&http, &link, &token).await?)?;
        answers.push(file);
    }
    Ok(answers)
}

/// The codec alone, on the answers and on the objects of the archive. It must make the bytes that
/// are there.
async fn codec(stage: &Stage, answers: Vec<PathBuf>) -> Result<Outcome, Failure> {
    let objects = stage.bucket.raw_objects()?;
    let mut stored = 0;
    for object in &objects {
        stored += std::fs::metadata(object)?.len();
    }
    let codec = stage.run(&Task::Codec { answers, objects }).await?;
    if codec.compressed_bytes == stored && codec.records == u64::from(RECORDS) {
        return Ok(codec);
    }
    Err(format!(
        "the objects hold {} records, and compressing them again made {} bytes instead of {stored}",
        codec.records, codec.compressed_bytes
    )
    .into())
}

fn shown(outcome: Outcome) -> String {
    format!("{:.0} µs per record", outcome.cpu_seconds * 1e6 / as_float(outcome.records))
}
