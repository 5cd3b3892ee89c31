//! The order in which findings are told, so that two runs at once tell each once and none is ever
//! lost.
//!
//! A run claims what it is about to tell, sends the mail, and puts it on record. Each write holds
//! only if nobody wrote since the run looked. A run that dies before its mail leaves a claim, which
//! lives as long as a run can and is then no obstacle: the next run tells. One that dies between
//! mail and record has told, and the next run tells the same again. So each finding is told at
//! least once, and twice only there: a mail too many is a nuisance, a finding that nobody read is
//! the damage.

use crate::finding::Finding;
use crate::told::{News, Run, Told};
use entratrail::object::Written;
use std::collections::BTreeSet;

/// Writes that another run may overtake before a run gives up. Each means that the other one got
/// on.
const MOST_CONFLICTS: u32 = 50;

/// One run's way from what it found to what it told.
#[derive(Debug, Clone)]
pub struct Telling {
    run: Run,
    found: Vec<Finding>,
    answered: BTreeSet<String>,
    news: News,
    phase: Phase,
    conflicts: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Claiming,
    Recording { is_told: bool },
    Releasing,
}

/// Next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Read the memory, and hand it to [`Telling::loaded`].
    Load,
    /// Write it if nobody did since it was read, and say in [`Telling::written`] whether that was
    /// so.
    Write(Told),
    /// Send the mail, and say in [`Telling::sent`] whether it was taken.
    Send(News),
    /// Nothing more.
    End(End),
}

/// End of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The news were told and are on record, or there were none.
    Told(News),
    /// The mail was not taken; the next run tells it.
    NotSent(News),
    /// Other runs wrote all the time.
    Overtaken {
        /// Whether the mail was sent before that, so that it comes once more.
        is_sent: bool,
    },
}

impl Telling {
    /// A run that found `found` in the answers to the questions `answered`. Its first step is
    /// [`Step::Load`].
    pub fn new(run: Run, found: Vec<Finding>, answered: BTreeSet<String>) -> Self {
        let news = News::default();
        Self { run, found, answered, news, phase: Phase::Claiming, conflicts: 0 }
    }

    /// Goes on after the memory was read.
    pub fn loaded(&mut self, mut told: Told) -> Step {
        match self.phase {
            Phase::Claiming => {
                self.news = told.news(&self.found, &self.run);
                if self.news.findings.is_empty() && !self.news.is_weekly {
                    self.phase = Phase::Recording { is_told: false };
                    return self.loaded(told);
                }
                told.claim(&self.run, &self.news);
            }
            // What another run told meanwhile is no news any more, where nothing of this one was
            // told.
            Phase::Recording { is_told: false } => {
                let news = told.news(&self.found, &self.run);
                if !news.findings.is_empty() || news.is_weekly {
                    self.phase = Phase::Claiming;
                    return self.loaded(told);
                }
                told.record(&self.run, &news, &self.found, &self.answered);
            }
            Phase::Recording { is_told: true } => {
                told.record(&self.run, &self.news, &self.found, &self.answered);
            }
            Phase::Releasing => told.release(&self.run),
        }
        Step::Write(told)
    }

    /// Goes on after a write, which held unless another run had written.
    pub fn written(&mut self, written: Written) -> Step {
        if written == Written::ConditionFailed {
            self.conflicts += 1;
            if self.conflicts > MOST_CONFLICTS {
                let is_sent = self.phase == Phase::Recording { is_told: true };
                return Step::End(End::Overtaken { is_sent });
            }
            return Step::Load;
        }
        match self.phase {
            Phase::Claiming => Step::Send(self.news.clone()),
            Phase::Recording { .. } => Step::End(End::Told(self.news.clone())),
            Phase::Releasing => Step::End(End::NotSent(self.news.clone())),
        }
    }

    /// Goes on after the mail was taken, or not.
    pub fn sent(&mut self, is_taken: bool) -> Step {
        self.phase = if is_taken { Phase::Recording { is_told: true } } else { Phase::Releasing };
        Step::Load
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::tests::{finding, run};
    use std::collections::BTreeMap;

    /// The object, with a version that each write raises.
    #[derive(Debug, Clone, Default)]
    struct Store {
        told: Told,
        version: u32,
    }

    /// A run in the middle of its way.
    #[derive(Debug, Clone)]
    struct Player {
        telling: Telling,
        step: Step,
        seen: u32,
        is_dead: bool,
    }

    /// Everything at one moment.
    #[derive(Debug, Clone, Default)]
    struct World {
        store: Store,
        players: Vec<Player>,
        mails: Vec<News>,
        crashes: u32,
        refusals: u32,
    }

    impl Player {
        fn new(id: &str, at: &str, found: &[Finding]) -> Self {
            let answered = found.iter().map(|finding| finding.question.clone()).collect();
            let telling = Telling::new(run(id, at), found.to_vec(), answered);
            Self { telling, step: Step::Load, seen: 0, is_dead: false }
        }

        fn is_over(&self) -> bool {
            self.is_dead || matches!(self.step, Step::End(_))
        }
    }

    impl World {
        /// Has one run take its next step; `takes_mail` says whether a mail is taken.
        fn step(&mut self, player: usize, takes_mail: bool) {
            let player = &mut self.players[player];
            player.step = match player.step.clone() {
                Step::Load => {
                    player.seen = self.store.version;
                    player.telling.loaded(self.store.told.clone())
                }
                Step::Write(told) => {
                    let written = if player.seen == self.store.version {
                        self.store = Store { told, version: self.store.version + 1 };
                        Written::Yes
                    } else {
                        Written::ConditionFailed
                    };
                    player.telling.written(written)
                }
                Step::Send(news) => {
                    if takes_mail {
                        self.mails.push(news);
                    }
                    player.telling.sent(takes_mail)
                }
                end @ Step::End(_) => end,
            };
        }

        fn finish(&mut self, player: Player) {
            self.players.push(player);
            while !self.players[self.players.len() - 1].is_over() {
                self.step(self.players.len() - 1, true);
            }
        }

        fn counts(&self) -> BTreeMap<String, u32> {
            let mut counts = BTreeMap::new();
            for finding in self.mails.iter().flat_map(|news| &news.findings) {
                *counts.entry(finding.identity.clone()).or_insert(0) += 1;
            }
            counts
        }
    }

    /// Every way in which two runs can take turns, with at most one crash and one mail that is not
    /// taken, and then a run an hour later.
    fn explore(world: &World, ends: &mut u32, found: &[Finding]) {
        if world.players.iter().all(Player::is_over) {
            let mut world = world.clone();
            world.finish(Player::new("later", "2026-11-26T06:00:00Z", found));
            let counts = world.counts();
            let most = 1 + world.crashes;
            for finding in found {
                let count = counts.get(&finding.identity).copied().unwrap_or(0);
                assert!(
                    (1..=most).contains(&count),
                    "{count} times with {} crashes",
                    world.crashes
                );
            }
            let weekly = world.mails.iter().filter(|news| news.is_weekly).count();
            assert!((1..=most as usize).contains(&weekly), "{weekly} mails of the week");
            *ends += 1;
            return;
        }
        for player in 0..world.players.len() {
            if world.players[player].is_over() {
                continue;
            }
            let mut goes_on = world.clone();
            goes_on.step(player, true);
            explore(&goes_on, ends, found);
            if world.crashes == 0 {
                let mut crashed = world.clone();
                crashed.crashes = 1;
                crashed.players[player].is_dead = true;
                explore(&crashed, ends, found);
            }
            if world.refusals == 0 && matches!(world.players[player].step, Step::Send(_)) {
                let mut refused = world.clone();
                refused.refusals = 1;
                refused.step(player, false);
                explore(&refused, ends, found);
            }
        }
    }

    #[test]
    fn two_runs_tell_each_finding_once_and_none_is_lost_whatever_dies() {
        let found = [finding("spray", "1"), finding("spray", "2"), finding("roles", "3")];
        let players = vec![
            Player::new("a", "2026-11-26T05:00:00Z", &found[..2]),
            Player::new("b", "2026-11-26T05:00:01Z", &found[1..]),
        ];
        let mut ends = 0;
        explore(&World { players, ..World::default() }, &mut ends, &found);
        assert!(ends > 1_000, "{ends} ends");
    }

    #[test]
    fn the_repetition_of_an_invocation_takes_its_own_claim_up_again() {
        let found = [finding("spray", "1")];
        let mut world = World {
            players: vec![Player::new("a", "2026-11-26T05:00:00Z", &found)],
            ..World::default()
        };
        world.step(0, true);
        world.step(0, true);
        assert!(matches!(world.players[0].step, Step::Send(_)));
        world.finish(Player::new("a", "2026-11-26T05:02:00Z", &found));
        assert_eq!(world.counts()["1"], 1);
    }

    #[test]
    fn without_news_nothing_is_sent_and_the_answers_are_on_record() {
        let found = [finding("spray", "1")];
        let mut world = World::default();
        world.finish(Player::new("a", "2026-11-26T05:00:00Z", &found));
        world.finish(Player::new("b", "2026-11-27T05:00:00Z", &found));
        assert_eq!(world.mails.len(), 1);
        assert_eq!(world.store.told.answered()["spray"].to_string(), "2026-11-27");
    }
}
