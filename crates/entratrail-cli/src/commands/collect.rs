//! `entratrail collect`: one run of each log, under one limit.

pub(crate) mod arguments;
mod clock_check;
mod credentials;
mod runs;

pub(crate) use runs::Runs;

use crate::interrupt::Interrupt;
use crate::status::Status;
use crate::terminal::output::{print_json, print_line};
use crate::terminal::progress::RunProgress;
use arguments::CollectArguments;
use chrono::{DateTime, Days, Utc};
use entratrail::archive::{Access, Archive};
use entratrail::clock::Clock;
use entratrail::collector::Collector;
use entratrail::config::RunSettings;
use entratrail::error::Error;
use entratrail::evidence::signer::Signer;
use entratrail::graph::GraphClient;
use entratrail::ledger::Origin;
use entratrail::log::{EventType, Log};
use entratrail::request::Collect;
use entratrail::window::midnight;
use futures_util::future::join_all;
use std::sync::Arc;

/// Reads what `arguments` ask for.
pub(crate) async fn collect(arguments: &CollectArguments) -> Result<Status, Error> {
    let interrupt = Interrupt::listen();
    let clock = Clock::wall();
    let (logs, event_types) = arguments.wanted();
    let settings = settings(arguments, &event_types)?;
    let request = request(arguments, clock.now())?;
    let archive = arguments.archive.open(Access::Write).await?;
    let application = credentials::application(&arguments.credential)?;
    let origin = Origin::new(Some(&application.client_id));
    let graph = Arc::new(GraphClient::new(&settings.graph, application, clock)?);
    let server_ahead = tokio::select! {
        signed_on = graph.sign_on() => signed_on?,
        () = interrupt.wait() => return Ok(Status::SomethingLeft),
    };
    clock_check::check(server_ahead)?;
    let progress = if arguments.output.quiet {
        RunProgress::Nothing
    } else {
        RunProgress::for_this_terminal(&settings)
    };
    let signer = arguments.evidence_key.as_deref().map(|path| Signer::in_file(path).map(Arc::new));
    let collectors = collectors(&logs, &graph, &settings, &origin, &archive, clock);
    let collectors = collectors.into_iter().map(|collector| collector.signed_by(signer.clone()));
    let collectors: Vec<_> = collectors.collect();
    let runs = run(&collectors, &request, &interrupt, progress).await;
    match (arguments.output.json, arguments.output.quiet) {
        (true, _) => print_json(&runs.to_json(&arguments.archive, interrupt.has_come())),
        (false, true) => {}
        (false, false) => runs.print_with(&arguments.archive),
    }
    if let (Some(path), Some(Ok(_)), false) =
        (&arguments.evidence_key, &signer, arguments.output.quiet || arguments.output.json)
    {
        let path = path.display();
        print_line(&format!(
            "The log of the ledger is signed; keep {path}.verifier and the checkpoints where \
             nobody who can write the archive can change them."
        ));
    }
    Ok(runs.conclude())
}

/// A collector for each log. They share Graph's limit, because Graph counts them together.
pub(crate) fn collectors(
    logs: &[Log],
    graph: &Arc<GraphClient>,
    settings: &RunSettings,
    origin: &Origin,
    archive: &Archive,
    clock: Clock,
) -> Vec<Collector> {
    let mut collectors = Vec::new();
    for &log in logs {
        collectors.push(Collector::sharing(
            Arc::clone(graph),
            log,
            settings.clone(),
            origin.clone(),
            archive.clone(),
            clock,
        ));
    }
    collectors
}

/// Runs all `collectors` at once, until they are done or interrupted.
pub(crate) async fn run(
    collectors: &[Collector],
    request: &Collect,
    interrupt: &Interrupt,
    shown: RunProgress,
) -> Runs {
    let runs = collectors.iter().map(async |collector: &Collector| {
        (collector.log, collector.run_until(request, interrupt.wait()).await)
    });
    let progress = collectors.iter().map(|collector| Arc::clone(&collector.progress)).collect();
    Runs(shown.beside(progress, join_all(runs)).await)
}

/// The settings of the environment, as the functions have them, with what the command line says
/// instead.
fn settings(arguments: &CollectArguments, event_types: &[EventType]) -> Result<RunSettings, Error> {
    let event_types =
        event_types.iter().map(|event_type| event_type.name()).collect::<Vec<_>>().join(",");
    let mut settings = RunSettings::read(|name| match name {
        "SIGN_IN_EVENT_TYPES" => Some(event_types.clone()).filter(|names| !names.is_empty()),
        _ => std::env::var(name).ok(),
    })?;
    settings.plan.only_days = arguments.range.days;
    Ok(settings)
}

/// Asks for what is due, or for the span of the arguments.
fn request(arguments: &CollectArguments, now: DateTime<Utc>) -> Result<Collect, Error> {
    let Some(from) = arguments.range.from else { return Ok(Collect::asked_by_hand(None)) };
    let to = arguments.range.to.unwrap_or_else(|| midnight(now.date_naive() + Days::new(1)));
    if from < to && from < now {
        return Ok(Collect::asked_by_hand(Some((from, to))));
    }
    Err(Error::configuration(format!(
        "the span from {from} to {to} is empty or lies in the future"
    ))
    .with_remedy("name a later --to, which is exclusive, or an earlier --from"))
}
