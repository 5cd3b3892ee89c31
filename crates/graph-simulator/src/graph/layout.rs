//! Lays out the chains of a scenario that asks for it.

use std::sync::Arc;

use crate::fault::{Alteration, ChainBreak, ChainOccasion};
use crate::scenario::{Order, Paging, Scenario};
use crate::state::chain::{Chain, ChainRecord, Part};
use crate::state::query::Query;
use crate::state::{State, lock};
use crate::tenant::record_form::RecordForm;
use crate::tenant::records::Records;
use crate::tenant::timeline::{Reference, Selection};
use crate::{guid, ticks};

/// Whether the scenario has something to say about the chain of this query.
pub(crate) fn is_wanted(state: &State, query: &Query) -> bool {
    state.scenario.remember_chains
        || rule(state, query).is_some()
        || lock(&state.faults).breaks_chains()
}

/// Lays out the chain of a query: a snapshot of what is selected.
pub(crate) fn chain(state: &State, query: &Query, whole: &Selection<'_>) -> Arc<Chain> {
    let number = lock(&state.links).begin_chain(query, state.scenario.seed);
    let usual = Paging::default();
    let (place, rule) = rule(state, query).unwrap_or((usize::MAX, &usual));
    let timeline = &state.records.timeline;
    let found = timeline.select(whole);
    let earlier: Vec<(Reference, Reference)> = if rule.both_versions > 0 {
        found.iter().filter_map(|of| Some((timeline.original_of(*of)?, *of))).collect()
    } else {
        Vec::new()
    };
    let doubles = !earlier.is_empty() && lock(&state.links).doubles(place, rule.both_versions);
    let mut records: Vec<ChainRecord> =
        found.iter().map(|of| record(state, query, rule, *of, Part::Between)).collect();
    if doubles {
        for record in &mut records {
            if earlier.iter().any(|(_, changed)| *changed == record.of) {
                record.part = Part::Last;
            }
        }
        records.extend(
            earlier.iter().map(|(original, _)| record(state, query, rule, *original, Part::First)),
        );
    }
    Arc::new(Chain::new(number, records, rule, query.top, broken(state, query, number)))
}

/// A record with what decides its place.
fn record(state: &State, query: &Query, rule: &Paging, of: Reference, part: Part) -> ChainRecord {
    let entry = state.records.timeline.entry(of);
    let id =
        if rule.order == Some(Order::Id) { id(&state.records, of, query) } else { String::new() };
    ChainRecord { of, time: entry.time, arrival: entry.arrival(), id, part }
}

/// The first layout that fits the query.
fn rule<'a>(state: &'a State, query: &Query) -> Option<(usize, &'a Paging)> {
    state
        .scenario
        .paging
        .iter()
        .enumerate()
        .find(|(_, rule)| rule.stream.is_none_or(|stream| query.streams().contains(&stream)))
}

fn broken(state: &State, query: &Query, number: u64) -> Option<ChainBreak> {
    let today = ticks::from_time(Scenario::midnight(ticks::to_time(state.started), 0));
    let from = query.filter.from;
    let to = query.filter.to;
    let occasion = ChainOccasion {
        streams: query.streams(),
        // The end of a span is the start of the next one: it does not touch that day.
        days: (days_after(today, from), days_after(today, to.saturating_sub(1).max(from))),
        minutes: to.saturating_sub(from) / (60 * ticks::PER_SECOND),
        draw: guid::mix(&[number]),
    };
    lock(&state.faults).break_chain(&occasion)
}

/// Whole days from `today` to a time.
fn days_after(today: i64, time: i64) -> i64 {
    time.saturating_sub(today).div_euclid(ticks::PER_DAY)
}

fn id(records: &Records, of: Reference, query: &Query) -> String {
    let form = RecordForm { version: query.version, masked: false };
    Records::id(&records.text(of, form, Alteration::None)).to_owned()
}
