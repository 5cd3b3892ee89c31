//! Start: how soon a function asks for its first event. Its size is `make package`'s matter: built
//! beside the command, a function holds more of what both use.

use crate::table::{Table, Target};
use crate::{Failure, progress};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

const FUNCTIONS: [&str; 2] = ["sign-in-logs", "audit-logs"];
const STARTS: usize = 20;
/// The median of the starts must stay below this.
const MOST_MILLISECONDS: f64 = 15.0;
/// Path that a function asks the runtime interface for first.
const FIRST_REQUEST: &str = "GET /2018-06-01/runtime/invocation/next";
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts each function again and again.
pub(crate) async fn measure() -> Result<Table, Failure> {
    let mut table = Table::new("start: the functions' own binaries, median of 20 starts");
    let program = std::env::current_exe()?;
    for function in FUNCTIONS {
        progress(&format!("start: {function}"));
        let binary = program.with_file_name(function);
        if !binary.exists() {
            let missing = format!("{} is missing; run make bench", binary.display());
            return Err(missing.into());
        }
        let milliseconds = median_start(&binary).await?.as_secs_f64() * 1e3;
        let target =
            Target::new(format!("below {MOST_MILLISECONDS} ms"), milliseconds < MOST_MILLISECONDS);
        table.add_with_target(function, format!("{milliseconds:.1} ms"), target);
    }
    Ok(table)
}

async fn median_start(binary: &Path) -> Result<Duration, Failure> {
    let runtime_interface = TcpListener::bind("127.0.0.1:0").await?;
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        times.push(tokio::time::timeout(PATIENCE, start(binary, &runtime_interface)).await??);
    }
    times.sort_unstable();
    Ok((times[STARTS / 2 - 1] + times[STARTS / 2]) / 2)
}

/// The time from the start of the process to the first line of its first request. Then the process
/// ends.
async fn start(binary: &Path, runtime_interface: &TcpListener) -> Result<Duration, Failure> {
    let started = Instant::now();
    let mut function = Command::new(binary)
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime_interface.local_addr()?.to_string())
        .envs([("AWS_LAMBDA_FUNCTION_NAME", "bench"), ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")])
        .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"), ("AWS_REGION", "eu-central-1")])
        .envs([("AWS_LAMBDA_LOG_GROUP_NAME", "bench"), ("AWS_LAMBDA_LOG_STREAM_NAME", "bench")])
        .envs([("AWS_ACCESS_KEY_ID", "bench"), ("AWS_SECRET_ACCESS_KEY", "bench")])
        .envs([("ARCHIVE_BUCKET", "bench"), ("PARAMETER_PREFIX", "/bench")])
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let (socket, _) = runtime_interface.accept().await?;
    let request = BufReader::new(socket).lines().next_line().await?.unwrap_or_default();
    let time = started.elapsed();
    function.kill().await?;
    if request.starts_with(FIRST_REQUEST) {
        return Ok(time);
    }
    Err(format!("{} asked for \"{request}\" first", binary.display()).into())
}
