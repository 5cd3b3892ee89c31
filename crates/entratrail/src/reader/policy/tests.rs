//! The decisions of a read, by tables and by properties.

use super::*;
use chrono::TimeDelta;
use fastrand::Rng;
use proptest::prelude::*;

fn day() -> Window {
    Window::whole_day("2026-11-22".parse().unwrap())
}

fn span_of(window: Window) -> Span {
    Span { start: window.start(), end: window.end() }
}

fn error() -> Error {
    Error::graph("no")
}

fn broken(kind: u8) -> NoPage {
    match kind {
        0 => NoPage::LinkRefused(error()),
        1 => NoPage::Unreadable(error()),
        _ => NoPage::TooLarge(error()),
    }
}

fn unknown() -> Reading {
    Reading::new(day(), 50_000, true, None, false)
}

/// A full page that is not the last one, of records from `first` seconds of the day on, one each
/// `step` milliseconds.
fn page(first: i64, step: i64) -> PageFacts {
    let at = |index: i64| {
        day().start() + TimeDelta::seconds(first) + TimeDelta::milliseconds(index * step)
    };
    let times: Vec<_> = (0..1000).map(at).collect();
    PageFacts { gained: 1000, next_link: Some(format!("{first}")), is_busy: false, times }
}

fn empty(link: &str) -> PageFacts {
    PageFacts { times: Vec::new(), gained: 0, next_link: Some(link.to_owned()), is_busy: false }
}

fn last() -> PageFacts {
    PageFacts { next_link: None, ..empty("") }
}

/// Number of chains that a new window is read as after a first page of records `step` milliseconds
/// apart.
fn chains_after(step: i64, is_busy: bool) -> usize {
    let mut reading = Reading::new(day(), u64::MAX / 8, true, None, is_busy);
    let probe = reading.next().unwrap();
    reading.after_page(probe, &PageFacts { is_busy, ..page(0, step) }).unwrap();
    std::iter::from_fn(|| reading.next()).count()
}

#[test]
fn many_pages_ahead_are_read_side_by_side_and_fewer_where_others_wait() {
    // A day of 100,000, 40,000, 6,000, 5,000 and 3,000 records.
    let steps = [864, 2_160, 14_400, 17_280, 28_800];
    assert_eq!(steps.map(|step| chains_after(step, false)), [6, 6, 5, 5, 1]);
    assert_eq!(steps.map(|step| chains_after(step, true)), [4, 4, 1, 1, 1]);
    // Records of one instant tell nothing of the rest of the day.
    assert_eq!(chains_after(0, false), 1);
}

#[test]
fn what_is_known_to_be_large_is_read_in_slices_at_once() {
    let chains = |records: u64, is_busy: bool| {
        let mut reading = Reading::new(day(), 50_000, true, Some(records), is_busy);
        (std::iter::from_fn(|| reading.next()).count(), reading.pages())
    };
    assert_eq!(chains(3_999, false), (1, None));
    assert_eq!(chains(6_000, false), (6, Some(6)));
    assert_eq!(chains(100_000, false), (6, Some(100)));
    assert_eq!(chains(7_999, true), (1, None));
    assert_eq!(chains(100_000, true), (4, Some(100)));
}

#[test]
fn a_probe_that_went_on_must_promise_more() {
    let mut reading = unknown();
    let probe = reading.next().unwrap();
    // At night 1,000 records in eight hours, then four hours at a time, then many more.
    reading.after_page(probe, &page(0, 28_800)).unwrap();
    let chain = reading.next().unwrap();
    assert!(chain.next_link.is_some());
    reading.after_page(chain, &page(28_800, 14_400)).unwrap();
    let chain = reading.next().unwrap();
    assert!(chain.next_link.is_some(), "three pages ahead are not worth asking for two again");
    reading.after_page(chain, &page(43_200, 3_000)).unwrap();
    assert!(std::iter::from_fn(|| reading.next()).all(|chain| chain.next_link.is_none()));
    assert!(reading.pages().is_some());
}

#[test]
fn pages_in_no_order_cut_the_day_where_its_records_are() {
    let mut reading = unknown();
    let probe = reading.next().unwrap();
    let mut dice = Rng::with_seed(7);
    // Nine records in ten lie between 8 and 10 o'clock.
    let seconds = |dice: &mut Rng| {
        if dice.u8(0..10) > 0 { dice.i64(28_800..36_000) } else { dice.i64(0..86_400) }
    };
    let times: Vec<_> =
        (0..1000).map(|_| day().start() + TimeDelta::seconds(seconds(&mut dice))).collect();
    reading.after_page(probe, &PageFacts { times, ..page(0, 1_000) }).unwrap();
    let mut spans: Vec<_> = std::iter::from_fn(|| reading.next()).map(|chain| chain.span).collect();
    spans.sort_by_key(|span| span.start);
    assert_eq!(spans.len(), 4);
    assert!(spans[1..3].iter().all(|span| span.seconds() < 7_200), "{spans:?}");
    assert_eq!(reading.pages(), Some(u64::MAX));
}

#[test]
fn a_window_is_split_by_what_its_pages_promise() {
    let split = |mut reading: Reading, step: i64| {
        let chain = reading.next().unwrap();
        match reading.after_page(chain, &page(0, step)) {
            Err(Ending::Split(split)) => Some((split.into.minutes(), split.records_each)),
            other => {
                other.unwrap();
                None
            }
        }
    };
    let target = |target: u64, may_split: bool| Reading::new(day(), target, may_split, None, false);
    // A day of 100,000 records.
    assert_eq!(split(target(50_000, true), 864), None);
    let found = split(target(10_000, true), 864).unwrap();
    assert_eq!(found.0, 60);
    assert!((4_000..4_300).contains(&found.1), "{found:?}");
    assert_eq!(split(target(10_000, false), 864), None);
}

#[test]
fn the_samples_of_slices_tell_how_much_a_window_holds() {
    let mut reading = Reading::new(day(), 50_000, true, Some(23_000), false);
    let slices: Vec<_> = std::iter::from_fn(|| reading.next()).collect();
    assert_eq!(slices.len(), 8);
    for (number, slice) in slices.into_iter().enumerate() {
        // A thousand records in 3,600 s of a slice of 10,800 s.
        let first = (slice.span.start - day().start()).num_seconds();
        assert_eq!(reading.sampled().is_some(), number >= 4, "{number}");
        reading.after_page(slice, &page(first, 3_600)).unwrap();
    }
    let sampled = reading.sampled().unwrap();
    assert!((23_500..24_500).contains(&sampled), "{sampled}");
}

#[test]
fn a_filter_that_is_ignored_ends_the_read() {
    let after = |inside: usize, outside: usize, is_end: bool| {
        let mut reading = unknown();
        let chain = reading.next().unwrap();
        let mut times = vec![day().start(); inside];
        times.extend(vec![day().start() - TimeDelta::days(9); outside]);
        let next_link = (!is_end).then(|| "next".to_owned());
        reading
            .after_page(chain, &PageFacts { times, gained: 1, next_link, is_busy: false })
            .is_ok()
    };
    assert!(after(0, 9, true));
    assert!(!after(4, 6, true));
    assert!(after(6, 6, true));
    assert!(after(0, 1999, false));
    assert!(!after(0, 2000, false));
    assert!(after(3000, 2000, false));
}

/// Pages of a chain until it is replaced.
fn pages_until_replaced(facts: impl Fn(u32) -> PageFacts) -> u32 {
    let mut reading = unknown();
    for number in 1..=20_000 {
        let chain = reading.next().unwrap();
        if number > 1 && chain.next_link.is_none() {
            return number - 1;
        }
        reading.after_page(chain, &facts(number)).unwrap();
    }
    panic!("it goes on and on");
}

#[test]
fn a_chain_without_an_end_is_replaced_and_a_sparse_one_is_not() {
    assert_eq!(pages_until_replaced(|_| empty("again")), 2);
    assert_eq!(pages_until_replaced(|number| empty(&number.to_string())), 250);
    let sparse = |number: u32| PageFacts {
        gained: u64::from(number.is_multiple_of(200)),
        ..empty(&number.to_string())
    };
    assert_eq!(pages_until_replaced(sparse), 10_000);
}

#[test]
fn a_span_that_is_asked_for_again_may_bring_what_is_known() {
    let mut reading = unknown();
    let mut pages = 0..;
    let mut step = |reading: &mut Reading, gained: u64| {
        let chain = reading.next().unwrap();
        let number: u32 = pages.next().unwrap();
        reading.after_page(chain, &PageFacts { gained, ..empty(&number.to_string()) }).unwrap();
    };
    (0..400).for_each(|_| step(&mut reading, 1));
    let chain = reading.next().unwrap();
    reading.replace(&chain, NoPage::LinkRefused(error())).unwrap();
    (0..640).for_each(|_| step(&mut reading, 0));
    let chain = reading.next().unwrap();
    assert!(chain.next_link.is_some(), "the 400 pages of the first chain bring nothing again");
}

#[test]
fn a_refused_link_has_the_same_span_asked_for_once_more_and_then_its_halves() {
    let mut reading = unknown();
    let probe = reading.next().unwrap();
    reading.replace(&probe, NoPage::LinkRefused(error())).unwrap();
    let again = reading.next().unwrap();
    assert_eq!(again.span, span_of(day()));
    reading.replace(&again, NoPage::LinkRefused(error())).unwrap();
    let halves: Vec<_> =
        std::iter::from_fn(|| reading.next()).map(|chain| chain.span.seconds()).collect();
    assert_eq!(halves, [43_200; 2]);
}

#[test]
fn what_always_breaks_ends_with_an_error_and_never_more_than_two_chains_at_once() {
    for kind in 0..3 {
        let mut reading = unknown();
        let mut under_way = Vec::new();
        let steps = (0..200).take_while(|_| {
            under_way.extend(std::iter::from_fn(|| reading.next()));
            assert!(under_way.len() <= UNDER_WAY_AFTER_BREAK);
            reading.replace(&under_way.pop().unwrap(), broken(kind)).is_ok()
        });
        assert!(steps.count() <= 40, "{kind}");
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_spans_make_up_the_window_until_each_is_done(
        seed: u64, estimate in proptest::option::of(0u64..2_000_000), is_busy: bool,
    ) {
        let mut dice = Rng::with_seed(seed);
        let mut reading = Reading::new(day(), u64::MAX / 8, true, estimate, is_busy);
        let mut under_way: Vec<Chain> = Vec::new();
        let mut done: Vec<Span> = Vec::new();
        for link in 0..400_u32 {
            under_way.extend(std::iter::from_fn(|| reading.next()));
            let waiting = reading.pending.iter().chain(&under_way).map(|chain| chain.span);
            let mut spans: Vec<_> = waiting.chain(done.iter().copied()).collect();
            spans.sort_by_key(|span| span.start);
            prop_assert_eq!((spans[0].start, spans[spans.len() - 1].end), (day().start(), day().end()));
            prop_assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert!(!reading.has_broken || under_way.len() <= 8);
            if under_way.is_empty() {
                prop_assert!(reading.pending.is_empty());
                break;
            }
            let chain = under_way.swap_remove(dice.usize(..under_way.len()));
            let span = chain.span;
            match dice.u8(0..10) {
                0..4 => {
                    done.push(span);
                    reading.after_page(chain, &last()).unwrap();
                }
                4 => if let Err(Ending::Failed(_)) = reading.replace(&chain, broken(dice.u8(0..3))) {
                    return Ok(());
                }
                _ => {
                    let first = (span.start - day().start()).num_seconds();
                    let mut facts = page(first, dice.i64(0..=(span.end - span.start).num_milliseconds() / 1000));
                    facts.next_link = Some(link.to_string());
                    facts.is_busy = dice.bool();
                    if dice.bool() {
                        dice.shuffle(&mut facts.times);
                    }
                    reading.after_page(chain, &facts).unwrap();
                }
            }
        }
    }
}
