//! The incidents that scenarios plant among ordinary records: data and one small function each.

use chrono::{DateTime, Utc};

use crate::activity::{self, Activity};
use crate::cast::{OWN_PLACES, USERS};
use crate::guid;
use crate::outcome::{
    MFA_COMPLETED, MFA_DENIED, NO_RISK, Outcome, Risk, SUCCESS, TRAVEL_RISK, WRONG_PASSWORD,
};
use crate::scenario::{Scenario, Story, StoryKind};
use crate::stream::Stream;
use crate::ticks::{self, PER_SECOND};

/// The address that the password spray comes from.
const SPRAY_ADDRESS: &str = "203.0.113.66";
const REYKJAVIK: usize = 8;
const LAGOS: usize = 9;
const SYDNEY: usize = 10;
const OUTLOOK: usize = 1;
const PORTAL: usize = 3;
const BROWSER: usize = 0;
const SCRIPT: usize = 6;

/// A record of a story.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    pub(crate) stream: Stream,
    pub(crate) time: i64,
    pub(crate) digits: u8,
    pub(crate) appears: u32,
    pub(crate) plot: Plot,
}

/// What a story decides about one of its records; the rest is drawn as for any other.
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
    let (hour, minute) = (random.i64(7..16), random.i64(0..60));
    let drawn = midnight + (hour * 3600 + minute * 60) * PER_SECOND;
    let actor = random.usize(..USERS.len());
    let victim = (actor + random.usize(1..USERS.len())) % USERS.len();
    let scene = Scene {
        start: story.at.map_or(drawn, ticks::from_time),
        actor,
        victim,
        home: USERS[victim].place.min(OWN_PLACES - 1),
    };
    match story.kind {
        StoryKind::PasswordSpray => scene.password_spray(),
        StoryKind::ImpossibleTravel => scene.impossible_travel(),
        StoryKind::MfaFatigue => scene.mfa_fatigue(),
        StoryKind::RoleGrant => scene.audit(&activity::ROLE_GRANT),
        StoryKind::RiskyConsent => scene.audit(&activity::RISKY_CONSENT),
    }
}

impl Scene {
    /// 30 users from one address within ten minutes; the password of the last one is right.
    fn password_spray(&self) -> Vec<Planted> {
        let attempt = |number: usize, outcome| {
            let user = (self.victim + 30 - number.min(30)) % USERS.len();
            let plot = SignInPlot { user, outcome, ..self.sign_in(REYKJAVIK, SPRAY_ADDRESS) };
            let plot = SignInPlot { client: SCRIPT, application: OUTLOOK, ..plot };
            self.at(20 * number, plot)
        };
        (1..=30)
            .map(|number| attempt(number, WRONG_PASSWORD))
            .chain([attempt(31, Outcome { details: None, ..SUCCESS })])
            .collect()
    }

    /// Two successes 40 minutes and half the planet apart.
    fn impossible_travel(&self) -> Vec<Planted> {
        let far = SignInPlot { risk: TRAVEL_RISK, ..self.sign_in(SYDNEY, "203.0.113.151") };
        vec![self.at(0, self.sign_in(self.home, "198.51.100.23")), self.at(40 * 60, far)]
    }

    /// Fourteen refused prompts in half an hour, then a tired yes.
    fn mfa_fatigue(&self) -> Vec<Planted> {
        let prompt = |number: usize, outcome| {
            self.at(125 * number, SignInPlot { outcome, ..self.sign_in(LAGOS, "203.0.113.90") })
        };
        (0..14).map(|number| prompt(number, MFA_DENIED)).chain([prompt(14, MFA_COMPLETED)]).collect()
    }

    fn audit(&self, activity: &'static Activity) -> Vec<Planted> {
        let plot = AuditPlot { activity, actor: self.actor, target: self.victim, address: "203.0.113.77" };
        vec![self.planted(Stream::DirectoryAudits, 0, Plot::Audit(plot))]
    }

    fn sign_in(&self, place: usize, address: &'static str) -> SignInPlot {
        SignInPlot {
            user: self.victim,
            place,
            address,
            application: PORTAL,
            client: BROWSER,
            outcome: SUCCESS,
            risk: NO_RISK,
        }
    }

    fn at(&self, seconds: usize, plot: SignInPlot) -> Planted {
        self.planted(Stream::InteractiveUser, seconds, Plot::SignIn(plot))
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
