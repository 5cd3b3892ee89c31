//! The state that all requests share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::access::AccessTokens;
use crate::assertion::Certificate;
use crate::clock::Clock;
use crate::directory::Directory;
use crate::error::Error;
use crate::fault::FaultPlan;
use crate::issuer::Issuer;
use crate::journal::Journal;
use crate::limit::Limiter;
use crate::link::Links;
use crate::person::SignIns;
use crate::records::Records;
use crate::scenario::Scenario;
use crate::ticks;
use crate::timeline::Timeline;

/// A running tenant.
#[derive(Debug)]
pub(crate) struct World {
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
    pub(crate) sign_ins: Mutex<SignIns>,
    pub(crate) certificates: Mutex<Vec<Certificate>>,
}

impl World {
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
            sign_ins: Mutex::default(),
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
