//! Everything that the template holds for Athena, asked of Trino, the engine that Athena is made
//! of.

use crate::process::{self, Failure};

pub(crate) fn run() -> Result<(), Failure> {
    process::script("install-trino", &[])?;
    process::script("install-tools", &["emulator"])?;
    process::run(&mut process::cargo(&[
        "build",
        "--workspace",
        "--locked",
        "--bin",
        "entratrail",
    ]))?;
    let features = ["--features", "entratrail-tests/athena", "--test", "ask", "athenas_engine"];
    process::run(process::cargo(&["test", "--workspace", "--locked"]).args(features))
}
