//! Ordinary records: their times, and which of them arrive late, change, or come twice.

use chrono::{DateTime, Utc};

use super::{Entry, LARGEST_SHIFT_SECONDS, Variant};
use crate::scenario::{Late, LateByHours, Scenario, Volume};
use crate::tenant::curve::Curve;
use crate::{guid, ticks};

/// Ticks of the day that readers get wrong, with their fraction digits: both ends of the day and
/// its middle.
const EDGES: [(i64, u8); 4] = [(0, 0), (1, 7), (ticks::PER_DAY / 2, 0), (ticks::PER_DAY - 1, 7)];

/// Adds the entries of one volume.
pub(super) fn fill(
    entries: &mut Vec<Entry>,
    volume: &Volume,
    origin: u16,
    seed: u64,
    now: DateTime<Utc>,
) {
    let curve = Curve::new(volume, guid::mix(&[seed, 0xB125, u64::from(origin)]));
    let with_edges =
        volume.hours == (0, 24) && volume.per_day >= 10 && volume.fraction_digits.is_none();
    let mut number = 0;
    let step = usize::try_from(volume.every_days).unwrap_or(usize::MAX);
    for day in (volume.from_day..=volume.to_day).step_by(step) {
        let midnight = ticks::from_time(Scenario::midnight(now, day));
        for index in 0..volume.per_day {
            let mut random = draws(seed, origin, number);
            let edge = EDGES.get(index as usize).filter(|_| with_edges);
            let (tick, digits) = edge.copied().unwrap_or_else(|| {
                let drawn = fraction_digits(random.f64());
                let digits = volume.fraction_digits.unwrap_or(drawn);
                (ticks::truncated(curve.tick(random.f64()), digits), digits)
            });
            push(entries, volume, Entry::new(midnight + tick, digits, origin, number), &mut random);
            number += 1;
        }
    }
    for literal in &volume.at {
        let time = ticks::parse(literal).unwrap_or_default();
        let entry = Entry::new(time, digits_of(literal), origin, number);
        push(entries, volume, entry, &mut draws(seed, origin, number));
        number += 1;
    }
}

fn draws(seed: u64, origin: u16, number: u32) -> fastrand::Rng {
    fastrand::Rng::with_seed(guid::mix(&[seed, 0x71E5, u64::from(origin), u64::from(number)]))
}

/// Most times have no fraction or seven digits; the others have any number between.
fn fraction_digits(share: f64) -> u8 {
    match share {
        share if share < 0.45 => 0,
        share if share < 0.82 => 7,
        share if share < 0.90 => 6,
        share if share < 0.95 => 3,
        share if share < 0.97 => 5,
        share if share < 0.98 => 4,
        share if share < 0.99 => 2,
        _ => 1,
    }
}

fn digits_of(literal: &str) -> u8 {
    let fraction = literal.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    u8::try_from(digits.min(7)).unwrap_or_default()
}

/// Adds one record with the copies that its volume gives it.
fn push(entries: &mut Vec<Entry>, volume: &Volume, original: Entry, random: &mut fastrand::Rng) {
    let appears = volume.late.map_or(0, |late| delay_seconds(late, random));
    let appears =
        volume.late_by_hours.map_or(appears, |late| hours_late(late, random).max(appears));
    let mut share = random.f64();
    let original = Entry { appears, ..original };
    let mut falls_in = |width: f64| {
        share -= width;
        share < 0.0 && share >= -width
    };
    if let Some(changed) = volume.changed.filter(|changed| falls_in(changed.share)) {
        let since = (changed.after_minutes * 60).max(appears);
        entries.push(Entry { appears: since, variant: Variant::Changed, ..original });
        entries.push(Entry { vanishes: since, ..original });
    } else if falls_in(volume.risk_copies) {
        let soon = appears + random.u32(60..600);
        entries.push(Entry { appears: soon, variant: Variant::WithRisk, ..original });
        entries.push(original);
    } else if falls_in(volume.split_by_policy) {
        entries.push(Entry { variant: Variant::FirstPolicies, ..original });
        entries.push(Entry { variant: Variant::LastPolicies, ..original });
    } else if falls_in(volume.repeated) {
        let away = random.i32(1..LARGEST_SHIFT_SECONDS);
        // Where the newest come first, what comes later in a read stands earlier in time.
        let shift_seconds = if volume.stream.log().is_newest_first() { -away } else { away };
        entries.push(Entry { shift_seconds, variant: Variant::Repeat, ..original });
        entries.push(original);
    } else {
        entries.push(original);
    }
}

fn hours_late(late: LateByHours, random: &mut fastrand::Rng) -> u32 {
    let is_late = random.f64() < late.share;
    let delay = random.u32(late.from * 3600..=late.up_to * 3600);
    if is_late { delay } else { 0 }
}

/// A long tail: most late records are a little late, few are very late.
fn delay_seconds(late: Late, random: &mut fastrand::Rng) -> u32 {
    let is_late = random.f64() < late.share;
    let place = random.f64();
    let least = late.from_minutes * 60;
    let most = late.up_to_minutes.max(late.from_minutes) * 60;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between two u32 values"
    )]
    let delay = (f64::from(least) + f64::from(most - least) * place * place) as u32;
    if is_late { delay } else { 0 }
}
