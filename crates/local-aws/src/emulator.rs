//! The emulator process: started once per test process, and gone with it, however that ends.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::bare_command;
use crate::tools::Tools;

/// Leads the process group of the emulator and of the functions that it runs. Its input is a pipe
/// that closes when the tests end, also when they are killed; then it ends this group and nothing
/// else.
const GUARD: &str = r#"
("$@" >"$TMPDIR/log" 2>&1; touch "$TMPDIR/ended") &
cat >/dev/null
rm -rf "$TMPDIR"
kill -KILL 0
"#;
const START_PATIENCE: Duration = Duration::from_mins(5); // half a second on an idle machine
/// File of the certificate that the emulator makes for strict mode.
const CERTIFICATE: &str = "ministack-tls/server.crt";
const TAIL_BYTES: usize = 2000;

/// Treatment of callers by the emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Plain HTTP, and everybody may do everything.
    Open,
    /// TLS with a certificate of its own, signatures are verified, and nobody may do more than
    /// policies allow.
    Strict,
}

/// A running emulator with a folder of its own for everything it writes.
#[derive(Debug)]
pub(super) struct Emulator {
    pub(super) endpoint: String,
    pub(super) folder: PathBuf,
    guard: Child,
}

impl Emulator {
    /// Another process may take the free port before the emulator does, hence the second try.
    pub(super) fn start(mode: Mode) -> Self {
        let mut emulator = Self::spawn(mode);
        if emulator.wait_until_healthy().is_err() {
            emulator = Self::spawn(mode);
            if let Err(log) = emulator.wait_until_healthy() {
                panic!(
                    "MiniStack, the AWS emulator of the tests, did not start; its log ends \
                     with:\n{log}"
                );
            }
        }
        emulator
    }

    /// The Python that has the emulator.
    pub(super) fn python() -> PathBuf {
        Tools::Emulator.program("python")
    }

    /// Folder to which emails are delivered.
    pub(super) fn mail_folder(&self) -> PathBuf {
        self.folder.join("mail")
    }

    /// The certificate to trust in strict mode.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// Ends those functions whose environment holds all of `variables`, and says how many processes
    /// that were.
    pub(super) fn kill_functions(&self, variables: &[(&str, &str)]) -> usize {
        let wanted: Vec<String> =
            variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let functions = processes
            .map(|process| process.path())
            .filter(|process| self.leads(process) && has_variables(process, &wanted));
        let killed = functions.filter_map(|process| kill(process.file_name()?.to_str()?));
        killed.count()
    }

    fn spawn(mode: Mode) -> Self {
        let port = free_port();
        let (scheme, is_strict) = match mode {
            Mode::Open => ("http", "0"),
            Mode::Strict => ("https", "1"),
        };
        let endpoint = format!("{scheme}://127.0.0.1:{port}");
        let folder =
            std::env::temp_dir().join(format!("entratrail-stack-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
        let guard = bare_command("sh") // functions inherit what the emulator has
            .args(["-c", GUARD, "stack"])
            .arg(Self::python())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("emulator.py"))
            .envs([
                ("PATH", std::env::var("PATH").unwrap_or_default()),
                ("GATEWAY_PORT", port.to_string()),
            ])
            .envs([("TMPDIR", &folder), ("HOME", &folder)])
            .envs([("AWS_ENDPOINT_URL", endpoint.as_str()), ("BIND_HOST", "127.0.0.1")])
            .envs([("IOT_MTLS_ENABLED", "0"), ("SFTP_ENABLED", "0")]) // these would listen on every interface
            .envs([
                ("USE_SSL", is_strict),
                ("AUTH", if is_strict == "1" { "true" } else { "false" }),
            ])
            .env("MAIL_FOLDER", folder.join("mail"))
            .envs((mode == Mode::Strict).then(|| ("SSL_CERT_FILE", folder.join(CERTIFICATE)))) // for the functions
            .envs([
                ("LAMBDA_ASYNC_RETRY_BASE_SECONDS", "1"),
                ("LAMBDA_ASYNC_RETRY_MAX_SECONDS", "2"),
            ])
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("every machine with a shell starts one");
        Self { endpoint, folder, guard }
    }

    fn wait_until_healthy(&self) -> Result<(), String> {
        let deadline = Instant::now() + START_PATIENCE;
        while !self.is_ready().unwrap_or(false) {
            if self.folder.join("ended").exists() || Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(
                    log[log.floor_char_boundary(log.len().saturating_sub(TAIL_BYTES))..].to_owned()
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn is_ready(&self) -> io::Result<bool> {
        if self.endpoint.starts_with("https") {
            return Ok(fs::read_to_string(self.folder.join("log"))?.contains("Running on https"));
        }
        let mut connection = TcpStream::connect(self.endpoint.trim_start_matches("http://"))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        connection.write_all(
            b"GET /_ministack/ready HTTP/1.1\r\nHost: stack\r\nConnection: close\r\n\r\n",
        )?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    }

    /// Whether the guard leads the process's group, which `/proc/<pid>/stat` says in the third
    /// field after the name.
    fn leads(&self, process: &Path) -> bool {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name.split_whitespace().nth(2) == Some(&self.guard.id().to_string())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        drop(self.guard.wait());
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine is free");
    listener.local_addr().expect("a listener has an address").port()
}

fn has_variables(process: &Path, wanted: &[String]) -> bool {
    let environment = fs::read(process.join("environ")).unwrap_or_default();
    let variables: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
    wanted.iter().all(|variable| variables.contains(&variable.as_bytes()))
}

fn kill(process_id: &str) -> Option<()> {
    let status = Command::new("kill").args(["-KILL", process_id]).stderr(Stdio::null()).status();
    status.ok()?.success().then_some(())
}
