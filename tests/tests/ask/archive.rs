//! Archives of the simulated tenant, collected as on two days in a row up to this moment, because
//! questions count from today.

use std::path::PathBuf;

use chrono::{TimeDelta, Utc};
use entratrail::archive::{Access, Archive};
use entratrail::clock::Clock;
use entratrail::collector::Collector;
use entratrail::config::RunSettings;
use entratrail::entra::credential::{Application, Credential};
use entratrail::entra::credential_source::CredentialSource;
use entratrail::log::Log;
use entratrail::request::Collect;
use entratrail_tests::stack::wait_past_midnight;
use graph_simulator::scenario::{ClockStart, Late};
use graph_simulator::{Scenario, Simulator};
use tempfile::TempDir;

/// Seconds that pass at the tenant in one of ours, so that nothing waits.
const SPEED: u32 = 60;

/// An archive in a folder that disappears with it.
#[derive(Debug)]
pub(crate) struct Collected(TempDir);

impl Collected {
    /// The week in which nothing happens.
    pub(crate) async fn calm() -> Self {
        Self::of(Scenario::calm_tenant().expect("the calm tenant is valid")).await
    }

    /// A week like it with every story in it, records that arrive a day late, a day whose ledger
    /// was lost, and one whose tables were.
    pub(crate) async fn with_stories() -> Self {
        let mut scenario = Scenario::calm_tenant().expect("the calm tenant is valid");
        scenario.story = Scenario::default_tenant().expect("the built-in tenant is valid").story;
        scenario.volume[0].late =
            Some(Late { share: 0.2, from_minutes: 20 * 60, up_to_minutes: 40 * 60 });
        let collected = Self::of(scenario).await;
        let lost = Utc::now().date_naive() - TimeDelta::days(3);
        let ledger = collected.folder().join(format!("ledger/directory-audits/day={lost}.ndjson"));
        std::fs::remove_file(ledger).expect("that day was read");
        let tables = format!("tables/sign_ins/event_type=nonInteractiveUser/day={lost}");
        std::fs::remove_dir_all(collected.folder().join(tables)).expect("that day has tables");
        collected
    }

    /// The ordinary week, in which incidents stand among much else.
    pub(crate) async fn busy() -> Self {
        Self::of(Scenario::default_tenant().expect("the built-in tenant is valid")).await
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.0.path().join("archive")
    }

    async fn of(scenario: Scenario) -> Self {
        wait_past_midnight();
        let collected = Self(tempfile::tempdir().expect("a temporary folder can be made"));
        let archive =
            Archive::in_folder(&collected.folder(), Access::Write).expect("the folder is ours");
        let now = Scenario::last_daily_read(Utc::now());
        for (at, history_days) in [(now - TimeDelta::hours(25), "5"), (now, "7")] {
            let mut tenant = scenario.clone().as_of(at.date_naive(), now.date_naive());
            tenant.clock = ClockStart { now: Some(at), speed: SPEED };
            tenant.limits.requests_per_10s = 0;
            // A scenario and a collector make a large future.
            Box::pin(collect(&archive, tenant, history_days)).await;
        }
        collected
    }
}

/// One run of each log.
async fn collect(archive: &Archive, scenario: Scenario, history_days: &str) {
    let tenant = Simulator::start(scenario).await.expect("the tenant can be played");
    let settings = RunSettings::read(|name| match name {
        "GRAPH_URL" | "LOGIN_URL" => Some(tenant.url().to_owned()),
        "HISTORY_DAYS" => Some(history_days.to_owned()),
        "GRAPH_REQUESTS_PER_10S" => Some("10000".to_owned()),
        _ => None,
    })
    .expect("the settings are well formed");
    for log in Log::ALL {
        let clock = Clock::simulated(tenant.now(), SPEED);
        let owner = &tenant.scenario().tenant;
        let application = Application {
            tenant_id: owner.id.clone(),
            client_id: owner.client_id.clone(),
            credential: Credential::Secret(owner.client_secret.clone().into()),
            source: CredentialSource::Environment,
        };
        let collector = Collector::new(log, settings.clone(), application, archive.clone(), clock);
        let run = collector.expect("it can be made").run(&Collect::asked_by_hand(None), None).await;
        let run = run.expect("it starts");
        assert!(run.error.is_none() && run.report.remaining_windows == 0, "{:?}", run.error);
    }
}
