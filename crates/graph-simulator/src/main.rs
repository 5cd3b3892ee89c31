//! Serves a simulated tenant on a loopback port until it is stopped.

mod flags;

use std::io::Write as _;
use std::process::ExitCode;

use graph_simulator::{Error, Scenario, Simulator};

use crate::flags::{Command, Flags};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let failed = match Flags::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => return say(flags::HELP),
        Ok(Command::Version) => {
            return say(concat!("graph-simulator ", env!("CARGO_PKG_VERSION"), "\n"));
        }
        Ok(Command::Serve(flags)) => match serve(&flags).await {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => error.to_string(),
        },
        Err(problem) => problem,
    };
    let line = failed.trim_end().replace('\n', "\n  ");
    writeln!(std::io::stderr(), "graph-simulator: {line}").unwrap_or_default();
    ExitCode::from(2)
}

async fn serve(flags: &Flags) -> Result<(), Error> {
    let mut scenario = match &flags.scenario {
        Some(path) => Scenario::read(path)?,
        None => Scenario::default_tenant()?,
    };
    if let Some(speed) = flags.speed {
        scenario.clock.speed = speed;
    }
    if flags.no_limit {
        scenario.limits.requests_per_10s = 0;
    }
    scenario.remember_served = false;
    let simulator = Simulator::start_on(scenario, flags.address()).await?;
    say(&greeting(&simulator));
    std::future::pending().await
}

/// Describes what is served, with a line to try.
fn greeting(simulator: &Simulator) -> String {
    let scenario = simulator.scenario();
    let tenant = &scenario.tenant;
    let url = simulator.url();
    format!(
        "{name}\n\n  URL            {url}\n  tenant id      {id}\n  client \
         id      {client}\n  client secret  {secret}\n\nTry:\n  curl --silent --data \
         grant_type=client_credentials --data client_id={client} \\\n       --data-urlencode \
         client_secret='{secret}' --data scope={url}/.default \
         \\\n       {url}/{id}/oauth2/v2.0/token\n  curl --silent --compressed --globoff --header \
         \"Authorization: Bearer $TOKEN\" \\\n       '{url}/v1.0/auditLogs/signIns?$top=3'\n",
        name = scenario.name,
        id = tenant.id,
        client = tenant.client_id,
        secret = tenant.client_secret,
    )
}

/// Writes to standard output, which may be closed.
fn say(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
