//! The command lines of AWS and SAM, loaded once for all tests of this process.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::operator::tool;

/// Each program with the modules that it loads, sooner or later.
const PROGRAMS: [(&str, [&str; 2]); 2] = [
    ("aws", ["awscli.clidriver", "awscli.handlers"]),
    ("sam", ["samcli.cli.main", "samcli.commands.deploy.command"]),
];

/// Servers of `resident.py`, which end with this process because their standard input does.
#[derive(Debug)]
struct Residents {
    folder: TempDir,
    _servers: Vec<Child>,
}

/// Folder with `aws` and `sam`, as a `PATH` needs it.
pub(crate) fn folder() -> &'static Path {
    static RESIDENTS: OnceLock<Residents> = OnceLock::new();
    RESIDENTS.get_or_init(Residents::start).folder.path()
}

impl Residents {
    fn start() -> Self {
        let folder = TempDir::new().expect("a folder for temporary files");
        let servers = PROGRAMS.map(|(name, modules)| {
            let socket = folder.path().join(format!("{name}.socket"));
            write_script(&folder.path().join(name), &tool(name), &socket);
            start_server(&socket, &modules)
        });
        Self { folder, _servers: servers.into() }
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deploy/resident.py")
}

/// Writes a program that asks the server, or is the real one if a preloaded library changes its
/// clock.
fn write_script(path: &Path, real: &Path, socket: &Path) {
    let text = format!(
        "#!/bin/sh\n[ -z \"${{LD_PRELOAD-}}\" ] || exec '{real}' \"$@\"\n\
         exec '{python}' -ISE '{script}' ask '{socket}' '{real}' \"$@\"\n",
        real = real.display(),
        python = tool("python").display(),
        script = script().display(),
        socket = socket.display(),
    );
    std::fs::write(path, text).expect("the folder is writable");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .expect("the file is ours");
}

fn start_server(socket: &Path, modules: &[&str]) -> Child {
    let mut server = Command::new(tool("python"))
        .arg(script())
        .args(["serve".as_ref(), socket.as_os_str()])
        .args(modules)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut line = String::new();
    let output = server.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut line).expect("it can be read");
    assert_eq!(line, "ready\n", "{modules:?} are loaded");
    server
}
