//! Somebody with this checkout, an AWS account, a tenant and a terminal.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use entratrail_tests::stack::{Stack, Tools, bare_command, binary, wait_past_midnight};
use graph_simulator::{Scenario, Simulator};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::resident;

/// Longer than any mail takes.
const MAIL_PATIENCE: Duration = Duration::from_mins(5);

/// Three days of a small office, one stream of each log.
pub(crate) const OFFICE: &str = r#"
name = "three days of a small office"
[limits]
requests_per_10s = 0
[[volume]]
stream = "interactiveUser"
from_day = -4
per_day = 60
[[volume]]
stream = "directoryAudits"
from_day = -4
per_day = 40
"#;

const FUNCTIONS: [&str; 4] = ["sign-in-logs", "audit-logs", "provisioning-logs", "findings"];

/// The operator, and everything at hand.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) stack: Stack,
    pub(crate) tenant: Simulator,
    folder: TempDir,
}

/// Output of a program, and its end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    /// Standard output and standard error.
    pub(crate) output: String,
}

impl Ended {
    /// Expects success and returns the output.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.status, 0, "{}", self.output);
        self.output
    }

    /// Expects that the status says "refused, and nothing was changed", and returns the sentence.
    pub(crate) fn refusal(self) -> String {
        assert_eq!(self.status, 2, "{}", self.output);
        let sentence = self.output.lines().last().unwrap_or_default().strip_prefix("deploy.sh: ");
        sentence.unwrap_or_else(|| panic!("no sentence of the script: {}", self.output)).to_owned()
    }
}

/// The folder of the checkout.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the checkout is there")
}

/// A program that `cargo xtask tools deploy` installs.
pub(crate) fn tool(name: &str) -> PathBuf {
    Tools::Deploy.program(name)
}

impl Operator {
    /// With an account in which everybody may do everything.
    pub(crate) async fn new() -> Self {
        Self::of(Stack::start().await, OFFICE).await
    }

    /// With an account that is reached over TLS and where policies count.
    pub(crate) async fn strict() -> Self {
        Self::of(Stack::start_strict().await, OFFICE).await
    }

    /// With a tenant of this scenario.
    pub(crate) async fn with_tenant(scenario: &str) -> Self {
        Self::of(Stack::start().await, scenario).await
    }

    async fn of(stack: Stack, scenario: &str) -> Self {
        wait_past_midnight();
        let scenario = Scenario::from_toml(scenario).expect("the scenario is well formed");
        let tenant = Simulator::start(scenario).await.expect("the scenario can be played");
        let folder = TempDir::new().expect("a folder for temporary files");
        let operator = Self { stack, tenant, folder };
        operator.write("secret", &operator.tenant.scenario().tenant.client_secret);
        for function in FUNCTIONS {
            // The emulator runs functions on this machine, and uploading sixty megabytes would take
            // longer than the test.
            operator.pack(function, &format!("#!/bin/sh\nexec '{}'\n", binary(function).display()));
        }
        operator
    }

    /// Replaces a function of the package that is deployed, checksums included.
    pub(crate) fn pack(&self, function: &str, program: &str) {
        let package = self.package();
        std::fs::create_dir_all(package.join(function)).expect("the folder is writable");
        let bootstrap = package.join(function).join("bootstrap");
        std::fs::write(&bootstrap, program).expect("the folder is writable");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&bootstrap, executable).expect("the file is ours");
        let mut sums = String::new();
        for function in FUNCTIONS {
            if let Ok(program) = std::fs::read(package.join(function).join("bootstrap")) {
                writeln!(sums, "{}  {function}/bootstrap", sha256(&program)).expect("text grows");
            }
        }
        std::fs::write(package.join("SHA256SUMS"), sums).expect("the folder is writable");
    }

    /// The folder with the built functions.
    pub(crate) fn package(&self) -> PathBuf {
        self.file("package")
    }

    /// A file of the operator.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the operator, and returns where it is.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.file(name), text).expect("the folder is writable");
        self.file(name).display().to_string()
    }

    /// Everything that a first deployment for this tenant needs.
    pub(crate) fn first_options(&self) -> Vec<String> {
        let tenant = &self.tenant.scenario().tenant;
        let url = self.tenant.url();
        let mut options: Vec<String> = vec!["--yes".to_owned()];
        for (name, value) in [
            ("--email", "ops@example.com"),
            ("--tenant-id", tenant.id.as_str()),
            ("--client-id", tenant.client_id.as_str()),
            ("--secret-file", self.file("secret").to_str().expect("a path of ours")),
            ("--package", self.package().to_str().expect("a path of ours")),
        ] {
            options.extend([name.to_owned(), value.to_owned()]);
        }
        for setting in [
            &format!("GraphUrl={url}"),
            &format!("LoginUrl={url}"),
            "HistoryDays=3",
            "SettleMinutes=0", // yesterday is due at any hour
            "GraphRequestsPer10s=10000",
            "SignInEventTypes=interactiveUser",
        ] {
            options.extend(["--set".to_owned(), setting.to_owned()]);
        }
        options
    }

    /// Runs the script with nothing on its standard input.
    pub(crate) async fn deploy<S: AsRef<OsStr>>(&self, options: &[S]) -> Ended {
        self.deploy_with_input(options, "").await
    }

    /// Runs the script with something piped into it.
    pub(crate) async fn deploy_with_input<S: AsRef<OsStr>>(
        &self,
        options: &[S],
        input: &str,
    ) -> Ended {
        self.run_script(&checkout(), options, input).await
    }

    /// A checkout with another template, which may hold one thing more than ours.
    pub(crate) fn checkout_with(&self, template: &str) -> PathBuf {
        let copy = self.file("checkout");
        std::fs::create_dir_all(&copy).expect("the folder is writable");
        for shared in ["deploy", "events"] {
            // Another test of this operator may have made them.
            let _ = std::os::unix::fs::symlink(checkout().join(shared), copy.join(shared));
        }
        std::fs::copy(checkout().join("deploy.sh"), copy.join("deploy.sh"))
            .expect("it can be copied");
        std::fs::write(copy.join("template.yaml"), template).expect("the folder is writable");
        copy
    }

    /// Runs the script of a checkout.
    pub(crate) async fn run_script<S: AsRef<OsStr>>(
        &self,
        checkout: &Path,
        options: &[S],
        input: &str,
    ) -> Ended {
        run(self.command(&checkout.join("deploy.sh")).args(options), input).await
    }

    /// Runs the AWS command line, expects success and returns the answer.
    pub(crate) async fn aws(&self, words: &[&str]) -> Value {
        let mut command = self.command(&resident::folder().join("aws"));
        let ended = run(command.args(words).args(["--output", "json"]), "").await;
        assert_eq!(ended.status, 0, "aws {words:?}: {}", ended.output);
        serde_json::from_str(&ended.output).unwrap_or(Value::Null)
    }

    /// An output of a stack; empty where it has none of that name.
    pub(crate) async fn output(&self, stack: &str, name: &str) -> String {
        let query = format!("Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue | [0]");
        let words = ["cloudformation", "describe-stacks", "--stack-name", stack, "--query", &query];
        self.aws(&words).await.as_str().unwrap_or_default().to_owned()
    }

    /// A program in the operator's environment.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let tools = tool("aws");
        let tools = tools.parent().expect("a program lies in a folder").display();
        let mut command = Command::from(bare_command(program));
        command
            .env("PATH", format!("{}:{tools}:{path}", resident::folder().display()))
            .env("HOME", self.folder.path())
            .envs(self.stack.operator_environment())
            .current_dir(self.folder.path())
            .kill_on_drop(true);
        command
    }

    /// Starts a function as the schedule does.
    pub(crate) async fn start(&self, function: &str, event: &str) {
        let event = format!("fileb://{}", self.write("event.json", event));
        let answer = self.write("answer.json", "");
        let words = [
            "lambda",
            "invoke",
            "--invocation-type",
            "Event",
            "--payload",
            &event,
            "--function-name",
            function,
            &answer,
        ];
        assert_eq!(self.aws(&words).await["StatusCode"], 202);
    }

    /// Waits for that many emails, and for no more.
    pub(crate) async fn mails(&self, count: usize) -> Vec<String> {
        let arrived = tokio::time::timeout(MAIL_PATIENCE, async {
            while self.stack.mails().len() < count {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        assert!(
            arrived.await.is_ok(),
            "{count} mails were to arrive, and there are {:?}",
            self.stack.mails()
        );
        self.stack.mails()
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("text grows");
        hex
    })
}

async fn run(command: &mut Command, input: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("the program starts");
    let mut pipe = process.stdin.take().expect("it has a standard input");
    // A program that refuses before it reads closes the pipe.
    let _ = pipe.write_all(input.as_bytes()).await;
    drop(pipe);
    let ended = process.wait_with_output().await.expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended {
        status: ended.status.code().unwrap_or(-1),
        output: text(&ended.stdout) + &text(&ended.stderr),
    }
}
