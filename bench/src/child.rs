//! The child process: reads a task, does it, and says what that cost.

mod codec;
mod collect;
mod plain;
mod read_back;
mod usage;

pub(crate) use plain::{page_bytes, sign_on};

use crate::Failure;
use chrono::{DateTime, NaiveDate, Utc};
use entratrail::clock::Clock;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;

/// The word that makes this program a child; it stands in no help.
pub(crate) const WORD: &str = "--child";

/// Work of a child process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// The product's run for the whole span.
    Collect(Source),
    /// The product's run as the schedule starts it.
    CollectWhatIsDue(Source),
    /// The raw objects read back, and their table objects made once more where that is asked for.
    ReadBack { source: Source, with_tables: bool },
    /// Reads those records, page after page.
    ReadPlainly(Source),
    /// Only to unpack saved answers and to compress what the stored objects hold.
    Codec { answers: Vec<PathBuf>, objects: Vec<PathBuf> },
}

/// A tenant and the span of its logs to read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) url: String,
    pub(crate) tenant_id: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// The simulated time.
    pub(crate) now: DateTime<Utc>,
    /// Simulated seconds per second.
    pub(crate) speed: u32,
    pub(crate) first_day: NaiveDate,
    /// The first day after the span.
    pub(crate) end_day: NaiveDate,
    /// Key that signs the history of the ledger, where it is signed.
    pub(crate) evidence_key: Option<PathBuf>,
}

/// Result of a task.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Records stored as new, or read, or compressed.
    pub(crate) records: u64,
    /// Pages asked for; 0 for the codec.
    pub(crate) requests: u64,
    /// Simulated time from start to end.
    pub(crate) seconds: f64,
    /// User and system time: of the whole process, or of the calls to the codec only.
    pub(crate) cpu_seconds: f64,
    /// The most memory that the process held at once; 0 for the codec.
    pub(crate) peak_bytes: u64,
    /// Compressed bytes that the codec made; 0 for the others.
    pub(crate) compressed_bytes: u64,
}

impl Source {
    /// The simulated clock, from now on.
    fn clock(&self) -> Clock {
        Clock::simulated(self.now, self.speed)
    }
}

/// Does the task on the standard input, and writes its outcome to the standard output.
pub(crate) fn work() -> Result<(), Failure> {
    let mut task = Vec::new();
    std::io::stdin().read_to_end(&mut task)?;
    // As the functions do: one thread.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = match serde_json::from_slice(&task)? {
        Task::Collect(source) => {
            let event = json!({"from": source.first_day, "to": source.end_day});
            whole_process(runtime.block_on(collect::collect(&source, &event))?)?
        }
        Task::CollectWhatIsDue(source) => {
            let event =
                json!({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}});
            whole_process(runtime.block_on(collect::collect(&source, &event))?)?
        }
        Task::ReadBack { source, with_tables } => {
            whole_process(runtime.block_on(read_back::read_back(&source, with_tables))?)?
        }
        Task::ReadPlainly(source) => whole_process(runtime.block_on(plain::read(&source))?)?,
        Task::Codec { answers, objects } => codec::unpack_and_compress(&answers, &objects)?,
    };
    Ok(std::io::stdout().write_all(&serde_json::to_vec(&outcome)?)?)
}

/// Adds what the process has used since its start, for work that is all that it did.
fn whole_process(outcome: Outcome) -> Result<Outcome, Failure> {
    let cpu_seconds = usage::cpu_time().as_secs_f64();
    Ok(Outcome { cpu_seconds, peak_bytes: usage::peak_bytes()?, ..outcome })
}
