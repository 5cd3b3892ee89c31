//! Measures what EntraTrail promises: speed at Graph's limit, CPU, memory, start; and sets it
//! beside other readers.
//!
//! This process plays Graph and S3. What is measured runs in a child process of its own, so that
//! its CPU time and memory are figures of the operating system: [`stage`] is the parent's half,
//! [`child`] the other one.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what this program is for"
)]

mod child;
mod cpu;
mod evidence;
mod memory;
mod order;
mod readers;
mod speed;
mod stage;
mod start;
mod table;

use order::{Measurement, Order, Terms};
use std::process::ExitCode;

/// Why nothing could be measured, in words: nobody decides on it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words == [child::WORD] {
        return ended(child::work());
    }
    match Order::parse(&words) {
        Ok(Order::Help) => {
            print!("{}", order::HELP);
            ExitCode::SUCCESS
        }
        Ok(Order::Measure { measurements, terms }) => ended(measure(&measurements, terms)),
        Err(unknown) => {
            eprint!("bench: {unknown}\n\n{}", order::HELP);
            ExitCode::from(2)
        }
    }
}

fn ended(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure(measurements: &[Measurement], terms: Terms) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    measurements
        .iter()
        .try_for_each(|measurement| runtime.block_on(measure_one(*measurement, terms)))
}

async fn measure_one(measurement: Measurement, terms: Terms) -> Result<(), Failure> {
    let table = match measurement {
        Measurement::Speed => speed::measure(terms.factor).await?,
        Measurement::Cpu => cpu::measure().await?,
        Measurement::Memory => memory::measure().await?,
        Measurement::Evidence => evidence::measure().await?,
        Measurement::Start => start::measure().await?,
        Measurement::Readers => return compare(terms).await,
    };
    println!("{table}");
    Ok(())
}

/// Fails where the product lost or doubled a record; what the others do is only shown.
async fn compare(terms: Terms) -> Result<(), Failure> {
    let breaches = readers::measure(terms.is_quick, terms.patience).await?;
    if breaches.is_empty() {
        return Ok(());
    }
    Err(format!("EntraTrail lost, doubled or altered records: {}", breaches.join("; ")).into())
}

/// Says on the standard error stream what is being done.
fn progress(step: &str) {
    eprintln!("bench: {step}");
}
