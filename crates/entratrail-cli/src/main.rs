//! The command `entratrail`: the collector of the functions on a laptop, with a local folder or a bucket as its archive.

mod arguments;
mod clock_check;
mod collect;
mod credentials;
mod demo;
mod display;
mod interrupt;
mod numbers;
mod output;
mod place;
mod query;
mod rebuild;
mod report;
mod saved;
mod session;
mod status;
mod summary;
mod verify;

use arguments::{Arguments, Command};
use clap::Parser as _;
use status::Status;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Collect(arguments) => Box::pin(collect::collect(&arguments)).await,
        Command::Verify(arguments) => verify::verify(&arguments).await,
        Command::Query(arguments) => Box::pin(query::query(&arguments)).await,
        Command::Report(arguments) => Box::pin(report::report(&arguments)).await,
        Command::Rebuild(arguments) => rebuild::rebuild(&arguments).await,
        Command::Demo(arguments) => Box::pin(demo::demo(&arguments)).await,
    };
    match done {
        Ok(status) => status.into(),
        Err(error) => {
            output::complain(&error.to_string());
            Status::NothingDone.into()
        }
    }
}
