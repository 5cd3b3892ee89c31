//! The incidents that scenarios plant among ordinary records: data and one small function each.

mod sign_ins;

use chrono::{DateTime, Utc};

use crate::guid;
use crate::scenario::{Scenario, Story, StoryKind};
use crate::stream::Stream;
use crate::tenant::activity::{Activity, planted};
use crate::tenant::contoso::{OWN_LOCATIONS, USERS};
use crate::tenant::outcome::{Outcome, Risk};
use crate::ticks::{self, PER_SECOND};

/// The address that changes to the directory are made from.
const INTRUDER_ADDRESS: &str = "203.0.113.77";

/// A record of a story.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    pub(crate) stream: Stream,
    pub(crate) time: i64,
    pub(crate) digits: u8,
    pub(crate) appears: u32,
    pub(crate) plot: Plot,
}

/// Decisions of a story about one of its records; the rest is drawn as for any other.
#[derive(Clone, Debug)]
pub(crate) enum Plot {
    SignIn(SignInPlot),
    Audit(AuditPlot),
}

/// A planted sign-in. Numbers index the tables in `cast`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignInPlot {
    pub(crate) user: usize,
    pub(crate) place: usize,
    pub(crate) address: &'static str,
    pub(crate) application: usize,
    pub(crate) client: usize,
    pub(crate) outcome: Outcome,
    pub(crate) risk: Risk,
    pub(crate) is_guest: bool,
    /// Steps of authentication; as drawn where absent.
    pub(crate) factors: Option<usize>,
    /// Result of the first policy; as drawn where absent.
    pub(crate) policy_result: Option<usize>,
    /// The workload that signs in, and the resource it asks for.
    pub(crate) workload: Option<(usize, usize)>,
}

/// A planted directory audit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuditPlot {
    pub(crate) activity: &'static Activity,
    pub(crate) actor: usize,
    pub(crate) target: usize,
    pub(crate) address: &'static str,
}

/// A story that is being written: its people and the moment it starts.
struct Scene {
    start: i64,
    actor: usize,
    victim: usize,
    home: usize,
}

/// The records of a story.
pub(crate) fn plant(story: Story, seed: u64, now: DateTime<Utc>) -> Vec<Planted> {
    let midnight = ticks::from_time(Scenario::midnight(now, story.day));
    let mut random = fastrand::Rng::with_seed(guid::mix(&[seed, 0x5708, story.kind as u64]));
    let hour = random.i64(7..16);
    let minute = random.i64(0..60);
    let drawn = midnight + (hour * 3600 + minute * 60) * PER_SECOND;
    let actor = random.usize(..USERS.len());
    let victim = (actor + random.usize(1..USERS.len())) % USERS.len();
    let scene = Scene {
        start: story.at.map_or(drawn, ticks::from_time),
        actor,
        victim,
        home: USERS[victim].place.min(OWN_LOCATIONS - 1),
    };
    match story.kind {
        StoryKind::PasswordSpray => scene.password_spray(),
        StoryKind::ImpossibleTravel => scene.impossible_travel(),
        StoryKind::MfaFatigue => scene.mfa_fatigue(),
        StoryKind::RoleGrant => scene.audit(&planted::ROLE_GRANT),
        StoryKind::RiskyConsent => scene.audit(&planted::RISKY_CONSENT),
        StoryKind::BruteForce => scene.brute_force(),
        StoryKind::LegacyProtocol => scene.legacy_protocol(),
        StoryKind::PortalWithoutMfa => scene.portal_without_mfa(),
        StoryKind::NewCountry => scene.new_country(),
        StoryKind::NewDevice => scene.new_device(),
        StoryKind::PolicyRefusal => scene.policy_refusal(),
        StoryKind::ReportOnlyRefusal => scene.report_only_refusal(),
        StoryKind::RiskySignIn => scene.risky_sign_in(),
        StoryKind::Guest => scene.guest(),
        StoryKind::WorkloadMoves => scene.workload_moves(),
        StoryKind::ManagedIdentityRoams => scene.managed_identity_roams(),
        StoryKind::PolicyChange => scene.audit(&planted::POLICY_CHANGE),
        StoryKind::MfaMethodChange => scene.audit(&planted::MFA_METHOD_CHANGE),
        StoryKind::NewCredential => scene.audit(&planted::NEW_CREDENTIAL),
        StoryKind::MassDeletion => scene.mass_deletion(),
    }
}

impl Scene {
    /// One change of the directory, from the intruder's address.
    fn audit(&self, activity: &'static Activity) -> Vec<Planted> {
        vec![self.change(activity, self.victim, 0)]
    }

    /// 24 users within eight minutes.
    fn mass_deletion(&self) -> Vec<Planted> {
        (0..24)
            .map(|number| {
                self.change(
                    &planted::USER_DELETION,
                    (self.actor + 1 + number) % USERS.len(),
                    20 * number,
                )
            })
            .collect()
    }

    fn change(&self, activity: &'static Activity, target: usize, seconds: usize) -> Planted {
        let plot = AuditPlot { activity, actor: self.actor, target, address: INTRUDER_ADDRESS };
        self.planted(Stream::DirectoryAudits, seconds, Plot::Audit(plot))
    }

    fn planted(&self, stream: Stream, seconds: usize, plot: Plot) -> Planted {
        let seconds = i64::try_from(seconds).unwrap_or_default();
        let time = self.start + seconds * PER_SECOND + (seconds * 7_919_351) % PER_SECOND;
        Planted { stream, time, digits: 7, appears: 0, plot }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planted(kind: StoryKind) -> Vec<Planted> {
        let story = Story { kind, day: -1, at: None };
        plant(story, 7, "2026-11-23T01:15:00Z".parse().unwrap())
    }

    fn codes(records: &[Planted]) -> Vec<u32> {
        let code = |record: &Planted| match &record.plot {
            Plot::SignIn(plot) => plot.outcome.code,
            Plot::Audit(_) => panic!("a sign-in story"),
        };
        records.iter().map(code).collect()
    }

    #[test]
    fn the_spray_fails_for_thirty_users_and_then_gets_in_once() {
        let codes = codes(&planted(StoryKind::PasswordSpray));
        assert_eq!((codes.len(), &codes[..30], codes[30]), (31, &[50126; 30][..], 0));
    }

    #[test]
    fn fatigue_ends_with_a_yes() {
        let codes = codes(&planted(StoryKind::MfaFatigue));
        assert!(codes.starts_with(&[500_121; 14]) && codes.ends_with(&[0]));
    }

    #[test]
    fn every_story_happens_on_its_day() {
        for kind in [
            StoryKind::PasswordSpray,
            StoryKind::ImpossibleTravel,
            StoryKind::MfaFatigue,
            StoryKind::RoleGrant,
            StoryKind::RiskyConsent,
        ] {
            for record in planted(kind) {
                assert!(ticks::text(record.time, 7).starts_with("2026-11-22T"));
            }
        }
    }
}
