//! The commands of this repository that cargo does not have: `cargo xtask`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to a terminal")]

mod athena;
mod ci;
mod clock;
mod demo;
mod process;
mod progress;
mod style;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND
  demo              collect and verify a simulated tenant, on this machine and on an emulated AWS
  ci                everything that CI checks, and the time of each part
  athena            put tables, views, questions and data sets to Trino, the engine of Athena
  tools SET ...     install tools of the tests: emulator, deploy, browser, clock
  at HH:MM PROGRAM  run a program, and all that it starts, at another time of the day (UTC)
  package           build the functions as deploy.sh does; check their size; run one for arm64
  generate          write what is made from sql/ and from the declaration of columns
  style [PATH ...]  count what makes code hard to read, here or in any other tree";

/// Cargo chooses the features of all members, as everywhere: nothing is compiled a second time.
fn generate() -> Result<(), process::Failure> {
    process::run(
        process::cargo(&["run", "--quiet", "--bin", "generate", "--"]).arg(process::root()),
    )
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo::run(),
        ["ci"] => ci::run(),
        ["athena"] => athena::run(),
        ["tools", sets @ ..] if !sets.is_empty() => process::script("install-tools", sets),
        ["at", time, program, arguments @ ..] => clock::run(time, program, arguments),
        ["package"] => process::script("install-tools", &["deploy"])
            .and_then(|()| process::script("package", &[])),
        ["generate"] => generate(),
        ["style"] => style::run(&[process::root()]),
        ["style", paths @ ..] => style::run(&paths.iter().map(PathBuf::from).collect::<Vec<_>>()),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.status())
        }
    }
}
