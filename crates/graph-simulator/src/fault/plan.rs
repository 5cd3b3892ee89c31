//! The choice of a fault for a request: scripts first, then seeded rates.

use super::{ChainBreak, ChainOccasion, FaultKind, Faults, ScriptedFault, Target};
use std::collections::HashSet;

use crate::guid;
use crate::stream::Stream;

/// A fault that was chosen for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) seconds: Option<u32>,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: Option<u64>,
}

impl Fault {
    /// A fault without particulars.
    fn of(kind: FaultKind) -> Self {
        Self { kind, seconds: None, status: None, bytes: None }
    }
}

/// Properties of a request on which the choice of its fault depends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion<'a> {
    pub(crate) target: Target,
    pub(crate) streams: &'a [Stream],
    /// Whether the request follows a next link.
    pub(crate) follows_link: bool,
    /// Whether the page that is due has a next link.
    pub(crate) has_more: bool,
    /// A number that tells its path and query from others.
    pub(crate) address: u64,
}

/// The faults of a running simulator and how often each script has been passed.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    faults: Faults,
    passed: Vec<u64>,
    /// Chains that suffered each fault of chains.
    broken: Vec<u32>,
    seed: u64,
    pages: u64,
    /// Addresses that were asked for before.
    called: HashSet<u64>,
}

impl FaultPlan {
    pub(crate) fn new(faults: Faults, seed: u64) -> Self {
        Self {
            passed: vec![0; faults.script.len()],
            broken: vec![0; faults.chain.len()],
            faults,
            seed,
            pages: 0,
            called: HashSet::new(),
        }
    }

    /// The fault that this request suffers, if any.
    pub(crate) fn choose(&mut self, occasion: &Occasion<'_>) -> Option<Fault> {
        let mut chosen = None;
        for (script, passed) in self.faults.script.iter().zip(&mut self.passed) {
            if script.fits(occasion) {
                *passed += 1;
                let struck = *passed >= script.nth && *passed - script.nth < script.times;
                if struck && chosen.is_none() {
                    chosen = Some(Fault {
                        kind: script.kind,
                        seconds: script.seconds,
                        status: script.status,
                        bytes: script.bytes,
                    });
                }
            }
        }
        chosen.or_else(|| self.first_call(occasion)).or_else(|| self.draw(occasion))
    }

    /// Chooses the fault of the first request of an address.
    fn first_call(&mut self, occasion: &Occasion<'_>) -> Option<Fault> {
        let kind = self.faults.first_call.filter(|_| occasion.target == Target::Page)?;
        let is_first = self.called.insert(occasion.address);
        (is_first && kind.suits(occasion)).then(|| Fault::of(kind))
    }

    /// The fault that a new chain is given, if any.
    pub(crate) fn break_chain(&mut self, occasion: &ChainOccasion<'_>) -> Option<ChainBreak> {
        for (number, (fault, broken)) in (0..).zip(self.faults.chain.iter().zip(&mut self.broken)) {
            let drawn = guid::mix(&[self.seed, occasion.draw, number, 0xC4A1]);
            let drawn = fastrand::Rng::with_seed(drawn).f64();
            if fault.fits(occasion, drawn) && fault.chains.is_none_or(|most| *broken < most) {
                *broken += 1;
                return Some(ChainBreak {
                    kind: fault.kind,
                    after: fault.after,
                    times: fault.times,
                });
            }
        }
        None
    }

    /// Whether there are faults of chains at all.
    pub(crate) fn breaks_chains(&self) -> bool {
        !self.faults.chain.is_empty()
    }

    fn draw(&mut self, occasion: &Occasion<'_>) -> Option<Fault> {
        if occasion.target != Target::Page || self.faults.rates.is_empty() {
            return None;
        }
        self.pages += 1;
        let mut left = fastrand::Rng::with_seed(guid::mix(&[self.seed, self.pages, 0xFA17])).f64();
        for (kind, rate) in &self.faults.rates {
            left -= rate;
            if left < 0.0 {
                return kind.suits(occasion).then(|| Fault::of(*kind));
            }
        }
        None
    }
}

impl ScriptedFault {
    fn fits(&self, occasion: &Occasion<'_>) -> bool {
        self.on.unwrap_or(self.kind.usual_target()) == occasion.target
            && self.stream.is_none_or(|stream| occasion.streams.contains(&stream))
            && self.kind.suits(occasion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> FaultPlan {
        FaultPlan::new(toml::from_str(text).unwrap(), 7)
    }

    fn page(follows_link: bool) -> Occasion<'static> {
        Occasion {
            target: Target::Page,
            streams: &[Stream::InteractiveUser],
            follows_link,
            has_more: true,
            address: 0,
        }
    }

    #[test]
    fn a_script_strikes_the_nth_fitting_request_so_many_times() {
        let mut plan = plan("[[script]]\nkind = 'refused_link'\nnth = 2\ntimes = 2");
        let struck: Vec<bool> = [false, true, true, false, true, true]
            .into_iter()
            .map(|follows_link| plan.choose(&page(follows_link)).is_some())
            .collect();
        assert_eq!(struck, [false, false, true, false, true, false]);
    }

    #[test]
    fn a_script_leaves_other_streams_and_endpoints_alone() {
        let mut plan = plan("[[script]]\nkind = 'cut'\nstream = 'managedIdentity'\ntimes = 9");
        assert_eq!(plan.choose(&page(false)), None);
        assert_eq!(plan.choose(&Occasion { target: Target::Token, ..page(false) }), None);
        assert!(
            plan.choose(&Occasion { streams: &[Stream::ManagedIdentity], ..page(false) }).is_some()
        );
    }

    #[test]
    fn a_fault_that_its_endpoint_cannot_suffer_is_refused() {
        for text in [
            "[[script]]\nkind = 'missing_link'\non = 'token'",
            "[[script]]\nkind = 'token_transient'\non = 'page'",
            "rates = { token_transient = 0.1 }",
            "rates = { cut = 0.6, slow = 0.6 }",
        ] {
            assert!(toml::from_str::<Faults>(text).unwrap().check().is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_kept_and_repeat_with_the_seed() {
        let count = || {
            let mut plan = plan("rates = { cut = 0.1, server_error = 0.2 }");
            (0..5000).filter(|_| plan.choose(&page(false)).is_some()).count()
        };
        assert_eq!(count(), count());
        assert!((1350..1650).contains(&count()), "{}", count());
    }
}
