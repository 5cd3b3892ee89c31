//! The state that all requests share: whatever a running tenant remembers.
//!
//! It knows the tenant and its scenario, and no handler.

pub(crate) mod access_tokens;
pub(crate) mod certificate;
pub(crate) mod chain;
pub(crate) mod clock;
pub(crate) mod device_codes;
pub(crate) mod issuer;
pub(crate) mod journal;
pub(crate) mod limiter;
pub(crate) mod links;
pub(crate) mod query;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::fault::FaultPlan;
use crate::scenario::Scenario;
use crate::state::access_tokens::AccessTokens;
use crate::state::certificate::Certificate;
use crate::state::clock::Clock;
use crate::state::device_codes::DeviceCodes;
use crate::state::issuer::Issuer;
use crate::state::journal::Journal;
use crate::state::limiter::Limiter;
use crate::state::links::Links;
use crate::tenant::directory::Directory;
use crate::tenant::records::Records;
use crate::tenant::timeline::Timeline;
use crate::ticks;

/// A running tenant.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) scenario: Scenario,
    pub(crate) url: String,
    pub(crate) clock: Clock,
    pub(crate) started: i64,
    pub(crate) records: Records,
    pub(crate) issuer: Issuer,
    pub(crate) journal: Mutex<Journal>,
    pub(crate) links: Mutex<Links>,
    pub(crate) limiter: Mutex<Limiter>,
    pub(crate) faults: Mutex<FaultPlan>,
    pub(crate) tokens: Mutex<AccessTokens>,
    pub(crate) device_codes: Mutex<DeviceCodes>,
    pub(crate) certificates: Mutex<Vec<Certificate>>,
}

impl State {
    pub(crate) fn new(scenario: Scenario, url: String) -> Result<Self, Error> {
        let now = scenario.clock.now.unwrap_or_else(chrono::Utc::now);
        let started = ticks::from_time(now);
        let records = Records::new(Timeline::build(&scenario, now), Directory::new(&scenario));
        let certificates = scenario
            .tenant
            .certificate
            .iter()
            .map(|pem| Certificate::from_pem(pem))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            clock: Clock::new(started, scenario.clock.speed),
            started,
            records,
            issuer: Issuer::new(&url)?,
            journal: Mutex::default(),
            links: Mutex::default(),
            limiter: Mutex::new(Limiter::new(scenario.limits.requests_per_10s)),
            faults: Mutex::new(FaultPlan::new(scenario.faults.clone(), scenario.seed)),
            tokens: Mutex::default(),
            device_codes: Mutex::default(),
            certificates: Mutex::new(certificates),
            url,
            scenario,
        })
    }

    /// The time of the oldest record that is still kept.
    pub(crate) fn oldest(&self, now: i64) -> i64 {
        now - self.scenario.tenant.retention()
    }
}

/// Locks, also after a panic elsewhere: the state stays usable for the test that reports it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
