//! Everything that CI checks, on any machine, and the time of each part.

mod suite;

use crate::process::{self, Failure};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// Crates that would be a second, older TLS stack in the functions.
const OLD_TLS: [&str; 9] = [
    "hyper v0.",
    "rustls v0.20.",
    "rustls v0.21.",
    "rustls v0.22.",
    "openssl v",
    "openssl-sys ",
    "native-tls ",
    "ring v",
    "aws-smithy-http-client-tls ",
];

/// The time that each part took, in the order in which they ended.
#[derive(Debug, Default)]
struct Times(Vec<(String, Duration)>);

impl Times {
    fn measure<T>(
        &mut self,
        part: &str,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        println!("\n== {part}");
        let started = Instant::now();
        let done = work();
        self.0.push((part.to_owned(), started.elapsed()));
        done
    }

    fn print(&self, whole: Duration) {
        println!("\n== times");
        for (part, time) in &self.0 {
            println!("{:>8.1} s  {part}", time.as_secs_f64());
        }
        println!("{:>8.1} s  altogether", whole.as_secs_f64());
    }
}

pub(crate) fn run() -> Result<(), Failure> {
    let started = Instant::now();
    let mut times = Times::default();
    let done = run_parts(&mut times);
    times.print(started.elapsed());
    done
}

fn run_parts(times: &mut Times) -> Result<(), Failure> {
    times.measure("machine", || process::script("preflight", &["test"]))?;
    times.measure("format", || {
        process::run(&mut process::cargo(&["fmt", "--all", "--", "--check"]))
    })?;
    times.measure("features of the functions", check_tls)?;
    // First, so that a network that is missing is noticed before the build.
    times.measure("emulator", || process::script("install-tools", &["emulator"]))?;
    let begun = Instant::now();
    // Fetched while the compiler computes.
    let tools = thread::spawn(|| process::script("install-tools", &["deploy", "browser"]));
    let tests = times.measure("build, lints, documentation", || {
        process::run(&mut cargo(&["build", "--workspace", "--locked", "--all-targets"]))?;
        suite::build()
    });
    let installed = tools.join().unwrap_or(Err(Failure::Said(1)));
    times.0.push(("  other tools and build, side by side".to_owned(), begun.elapsed()));
    let tests = tests?;
    installed?;
    times.measure("workflows", check_workflows)?;
    let tested = times.measure("tests", || suite::run(&tests));
    if let Ok(results) = &tested {
        let each = results.iter().map(|result| (format!("  {}", result.name), result.time));
        times.0.extend(each);
    }
    let examples = times.measure("examples in the documentation", || {
        process::run(&mut cargo(&["test", "--workspace", "--locked", "--doc", "--quiet"]))
    });
    suite::judge(&tested?)?;
    examples
}

/// Cargo with a compiler that lints and documents each crate of the workspace as it compiles it.
/// `cargo clippy` and `cargo doc` would each go through all dependencies once more.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = process::cargo(arguments);
    command.env("RUSTC_WORKSPACE_WRAPPER", process::root().join("xtask/scripts/rustc"));
    command
}

fn check_tls() -> Result<(), Failure> {
    let mut command =
        process::cargo(&["tree", "--locked", "--edges", "normal", "--prefix", "none"]);
    let tree = process::output(command.args([
        "-p",
        "sign-in-logs",
        "-p",
        "audit-logs",
        "-p",
        "provisioning-logs",
        "-p",
        "findings",
    ]))?;
    process::succeeded(tree.status)?;
    let text = String::from_utf8_lossy(&tree.stdout);
    let found: Vec<&str> =
        text.lines().filter(|line| OLD_TLS.iter().any(|old| line.starts_with(old))).collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::Sentence(format!(
        "{} are a second TLS stack in the functions: turn off the default features of what pulls \
         them in",
        found.join(", ")
    )))
}

/// Asks no forge: the rules that need one are left out.
fn check_workflows() -> Result<(), Failure> {
    let zizmor = process::root().join(".venv-deploy/bin/zizmor");
    process::run(
        Command::new(zizmor)
            .args(["--offline", "--persona", "pedantic", "--no-progress", ".github"])
            .current_dir(process::root()),
    )
}
