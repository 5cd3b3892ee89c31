//! `entratrail demo`: a made-up company on this machine, collected as on two days in a row,
//! verified and reported.

pub(crate) mod arguments;

use crate::archive_location::ArchiveLocation;
use crate::commands::collect::{collectors, run};
use crate::commands::{report, verify};
use crate::interrupt::Interrupt;
use crate::status::Status;
use crate::terminal::output::print_line;
use crate::terminal::progress::RunProgress;
use arguments::DemoArguments;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entratrail::archive::{Access, Archive};
use entratrail::clock::Clock;
use entratrail::config::RunSettings;
use entratrail::entra::credential::{Application, Credential};
use entratrail::entra::credential_source::CredentialSource;
use entratrail::error::Error;
use entratrail::graph::GraphClient;
use entratrail::ledger::Origin;
use entratrail::log::Log;
use entratrail::request::Collect;
use graph_simulator::scenario::ClockStart;
use graph_simulator::{Scenario, Simulator};
use std::path::Path;
use std::sync::Arc;

const INTRODUCTION: &str = "\
EntraTrail keeps a tenant's Microsoft Entra ID logs, and proves that nothing is missing. This demo plays the other side on
this machine: Contoso, a company of 40 people, with incidents planted in its logs. Nothing leaves the machine.
";

/// Seconds that pass at Contoso in one of ours, so that Graph's limit costs no patience.
const SPEED: u32 = 60;

/// Collects and verifies the made-up tenant.
pub(crate) async fn demo(arguments: &DemoArguments) -> Result<Status, Error> {
    print_line(INTRODUCTION);
    let interrupt = Interrupt::listen();
    let location = ArchiveLocation::Folder(arguments.folder.join("archive"));
    let archive = location.open(Access::Write).await?;
    let (first_day, is_new) = first_day(&arguments.folder)?;
    let now = Scenario::last_daily_read(Utc::now());
    let days: &[(&str, TimeDelta, &str)] = if is_new {
        &[("Yesterday", TimeDelta::hours(25), "5"), ("Today", TimeDelta::zero(), "7")]
    } else {
        &[("Today", TimeDelta::zero(), "7")]
    };
    let mut status = Status::AllDone;
    for &(name, ago, history_days) in days {
        print_line(&format!("{name}, at the time of the daily collection"));
        status = collect_day(&archive, first_day, (now - ago, history_days), &interrupt).await?;
        if status != Status::AllDone {
            return Ok(status);
        }
    }
    print_line("\nThe archive, verified\n");
    let verification = verify::check(&archive, &location, None, &[], Utc::now()).await?;
    verify::print(&verification, Utc::now());
    let page = arguments.folder.join("report.html");
    let status = if verification.is_sound() { status } else { Status::SomethingLeft };
    let reported = report::write_page(&location, &page).await?;
    print_line(&format!("\nThe report: open {} in a browser", page.display()));
    print_line(&what_next(&arguments.folder));
    Ok(if reported == Status::AllDone { status } else { reported })
}

/// One collection of both logs at `now`, which must see so many days of history.
async fn collect_day(
    archive: &Archive,
    first_day: NaiveDate,
    (now, history_days): (DateTime<Utc>, &str),
    interrupt: &Interrupt,
) -> Result<Status, Error> {
    let contoso = Scenario::default_tenant().map_err(unplayable)?;
    let mut contoso = contoso.as_of(now.date_naive(), first_day);
    contoso.clock = ClockStart { now: Some(now), speed: SPEED };
    let contoso = Simulator::start(contoso).await.map_err(unplayable)?;
    let settings = RunSettings::read(|name| match name {
        "GRAPH_URL" | "LOGIN_URL" => Some(contoso.url().to_owned()),
        "HISTORY_DAYS" => Some(history_days.to_owned()),
        _ => None,
    })?;
    let clock = Clock::simulated(contoso.now(), SPEED);
    let tenant = &contoso.scenario().tenant;
    let application = Application {
        tenant_id: tenant.id.clone(),
        client_id: tenant.client_id.clone(),
        credential: Credential::Secret(tenant.client_secret.clone().into()),
        source: CredentialSource::Environment,
    };
    let origin = Origin::new(Some(&application.client_id));
    let graph = Arc::new(GraphClient::new(&settings.graph, application, clock)?);
    let logs = Log::USUAL;
    let collectors = collectors(&logs, &graph, &settings, &origin, archive, clock);
    let runs =
        run(&collectors, &Collect::asked_by_hand(None), interrupt, RunProgress::Nothing).await;
    runs.print();
    Ok(runs.conclude())
}

/// The day of the first run, from which the days of the company are counted, and whether that is
/// today's run.
fn first_day(folder: &Path) -> Result<(NaiveDate, bool), Error> {
    let note = folder.join("first-run");
    let known = std::fs::read_to_string(&note).ok().and_then(|day| day.trim().parse().ok());
    if let Some(day) = known {
        return Ok((day, false));
    }
    let today = Utc::now().date_naive();
    std::fs::write(&note, today.to_string()).map_err(|error| {
        Error::configuration(format!("{} could not be written ({error})", note.display()))
            .with_remedy("name another --folder")
            .with_source(error)
    })?;
    Ok((today, true))
}

fn unplayable(error: graph_simulator::Error) -> Error {
    Error::configuration(format!("the made-up tenant could not be started: {error}"))
        .with_source(error)
}

fn what_next(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "
What to try next
  entratrail demo --folder {folder}
      once more: nothing is left to do, and nothing is stored twice
  entratrail query --archive {folder}/archive \"SELECT * FROM coverage ORDER BY day, stream\"
      any question in SQL; entratrail query --list names those that are saved
  entratrail verify --archive {folder}/archive --json
      the same verification for a machine
  rm -r {folder}/archive/raw/directory-audits {folder}/archive/ledger/directory-audits
      then the demo again: what is missing is found and read again
  cat {folder}/archive/ledger/directory-audits/*
      the proof: one line for each read
  rm -r {folder}
      start over"
    )
}
