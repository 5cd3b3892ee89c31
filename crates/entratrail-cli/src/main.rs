//! The command `entratrail`: the collector of the functions on a laptop, with a local folder or a
//! bucket as its archive.
//!
//! Each of the `commands` has its arguments beside it; `sql` answers questions about an archive,
//! and `terminal` prints and shows progress.

mod archive_location;
mod arguments;
mod command_line;
mod commands;
mod date_range;
mod interrupt;
mod sql;
mod status;
mod terminal;

use command_line::{Arguments, Command};
use commands::{check, collect, demo, prove, query, rebuild, report, verify, witness};
use entratrail::error::Error;
use interrupt::Interrupt;
use status::Status;
use std::process::ExitCode;
use terminal::output::print_error;

/// Stack of each thread: plans of questions are walked by recursion. Only what is used takes
/// memory.
const STACK: usize = 256 * 1024 * 1024;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let run = std::thread::Builder::new().stack_size(STACK).spawn(|| run_to_the_end(arguments));
    let ended = run.map(std::thread::JoinHandle::join);
    let Ok(Ok(Ok(code))) = ended else {
        print_error("the system gave no thread to work in");
        return Status::NothingDone.into();
    };
    code
}

/// Runs the command. What still works beside it when it was interrupted is not waited for.
fn run_to_the_end(arguments: Arguments) -> std::io::Result<ExitCode> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().thread_stack_size(STACK).build()?;
    let code = runtime.block_on(run(arguments));
    runtime.shutdown_background();
    Ok(code)
}

async fn run(arguments: Arguments) -> ExitCode {
    let done = match arguments.command {
        Command::Collect(arguments) => Box::pin(collect::collect(&arguments)).await,
        Command::Verify(arguments) => verify::verify(&arguments).await,
        Command::Prove(arguments) => or_interrupted(prove::prove(&arguments)).await,
        Command::Check(arguments) => check::check(&arguments),
        Command::Witness(arguments) => witness::witness(&arguments).await,
        Command::Query(arguments) => or_interrupted(query::query(&arguments)).await,
        Command::Report(arguments) => or_interrupted(report::report(&arguments)).await,
        Command::Rebuild(arguments) => rebuild::rebuild(&arguments).await,
        Command::Demo(arguments) => Box::pin(demo::demo(&arguments)).await,
    };
    match done {
        Ok(status) => status.into(),
        Err(error) => {
            print_error(&error.to_string());
            Status::NothingDone.into()
        }
    }
}

/// Does `work` unless it is interrupted. Then what it holds is dropped, which removes its temporary
/// files.
async fn or_interrupted(
    work: impl Future<Output = Result<Status, Error>>,
) -> Result<Status, Error> {
    let interrupt = Interrupt::listen();
    tokio::select! {
        done = Box::pin(work) => done,
        () = interrupt.wait() => Ok(Status::SomethingLeft),
    }
}
