//! Measures what EntraTrail promises: speed at Graph's limit, CPU, memory, start.
//!
//! This process plays Graph and S3. What is measured runs in a child process of its own, so that its CPU time and
//! memory are figures of the operating system: [`stage`] is the parent's half, [`child`] the other one.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]

mod child;
mod cpu;
mod memory;
mod order;
mod speed;
mod stage;
mod start;
mod table;

use order::{Measurement, Order};
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
        Ok(Order::Measure { measurements, factor }) => ended(measure(&measurements, factor)),
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

fn measure(measurements: &[Measurement], factor: u32) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for measurement in measurements {
        let table = runtime.block_on(async {
            match measurement {
                Measurement::Speed => speed::measure(factor).await,
                Measurement::Cpu => cpu::measure().await,
                Measurement::Memory => memory::measure().await,
                Measurement::Start => start::measure().await,
            }
        })?;
        println!("{table}");
    }
    Ok(())
}

/// Says on the standard error stream what is being done.
fn progress(step: &str) {
    eprintln!("bench: {step}");
}
