//! Lays out the chains of a scenario that asks for it.

use std::sync::Arc;

use crate::chain::{Card, Chain, Part};
use crate::directory::Form;
use crate::fault::{ChainBreak, ChainOccasion};
use crate::guid;
use crate::link::Query;
use crate::records::{Alteration, Records};
use crate::scenario::{Order, Paging, Scenario};
use crate::ticks;
use crate::timeline::{Reference, Selection};
use crate::world::{World, lock};

/// Whether the scenario has something to say about the chain of this query.
pub(crate) fn is_wanted(world: &World, query: &Query) -> bool {
    world.scenario.remember_chains
        || rule(world, query).is_some()
        || lock(&world.faults).breaks_chains()
}

/// Lays out the chain of a query: a snapshot of what is selected.
pub(crate) fn chain(world: &World, query: &Query, whole: &Selection<'_>) -> Arc<Chain> {
    let number = lock(&world.links).begin_chain(query, world.scenario.seed);
    let usual = Paging::default();
    let (place, rule) = rule(world, query).unwrap_or((usize::MAX, &usual));
    let timeline = &world.records.timeline;
    let card = |of: Reference, part| {
        let entry = timeline.entry(of);
        let id = if rule.order == Some(Order::Id) {
            id(&world.records, of, query)
        } else {
            String::new()
        };
        Card { of, time: entry.time, arrival: entry.arrival(), id, part }
    };
    let found = timeline.select(whole);
    let earlier: Vec<(Reference, Reference)> = if rule.both_versions > 0 {
        found.iter().filter_map(|of| Some((timeline.original_of(*of)?, *of))).collect()
    } else {
        Vec::new()
    };
    let doubles = !earlier.is_empty() && lock(&world.links).doubles(place, rule.both_versions);
    let mut cards: Vec<Card> = found.iter().map(|of| card(*of, Part::Between)).collect();
    if doubles {
        for card in &mut cards {
            if earlier.iter().any(|(_, changed)| *changed == card.of) {
                card.part = Part::Last;
            }
        }
        cards.extend(earlier.iter().map(|(original, _)| card(*original, Part::First)));
    }
    Arc::new(Chain::new(number, cards, rule, query.top, broken(world, query, number)))
}

/// The first layout that fits the query.
fn rule<'a>(world: &'a World, query: &Query) -> Option<(usize, &'a Paging)> {
    let fits = |rule: &Paging| rule.stream.is_none_or(|stream| query.streams().contains(&stream));
    world.scenario.paging.iter().enumerate().find(|(_, rule)| fits(rule))
}

fn broken(world: &World, query: &Query, number: u64) -> Option<ChainBreak> {
    let today = Scenario::midnight(ticks::to_time(world.started), 0);
    let day = |time: i64| time.saturating_sub(ticks::from_time(today)).div_euclid(ticks::PER_DAY);
    let from = query.filter.from;
    let to = query.filter.to;
    let occasion = ChainOccasion {
        streams: query.streams(),
        // The end of a span is the start of the next one: it does not touch that day.
        days: (day(from), day(to.saturating_sub(1).max(from))),
        minutes: to.saturating_sub(from) / (60 * ticks::PER_SECOND),
        draw: guid::mix(&[number]),
    };
    lock(&world.faults).break_chain(&occasion)
}

fn id(records: &Records, of: Reference, query: &Query) -> String {
    let form = Form { version: query.version, masked: false };
    Records::id(&records.text(of, form, Alteration::None)).to_owned()
}
