//! When things happen: record times spread over a day.

use crate::scenario::{Shape, Volume};
use crate::ticks;

/// Weight of each hour of the day, UTC, for people who mostly work in Europe.
const OFFICE: [u32; 24] =
    [2, 1, 1, 1, 2, 6, 20, 55, 95, 100, 92, 85, 70, 88, 95, 90, 75, 52, 28, 18, 13, 10, 7, 4];

const PER_HOUR: i64 = 3600 * ticks::PER_SECOND;
/// Length of a burst.
const BURST: i64 = PER_HOUR / 6;

/// Sums of the weights up to each hour, for drawing.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    sums: [f64; 25],
    /// Start of the burst that holds half of the records, if there is one.
    burst: Option<i64>,
    /// Ticks by which a record is moved, one of which belongs to each equal part of the day's
    /// records.
    shifts: Vec<i64>,
}

impl Curve {
    /// The curve of a volume; the place of a burst follows from the seed.
    pub(crate) fn new(volume: &Volume, seed: u64) -> Self {
        let (from, to) = volume.hours;
        let mut sums = [0.0; 25];
        for hour in 0..24_u8 {
            let open = (from..to).contains(&hour);
            let weight = match volume.shape {
                Shape::Office | Shape::Shifted => f64::from(OFFICE[usize::from(hour)]),
                Shape::Even | Shape::Burst => 1.0,
            };
            sums[usize::from(hour) + 1] = sums[usize::from(hour)] + if open { weight } else { 0.0 };
        }
        let burst = (volume.shape == Shape::Burst).then(|| {
            let last = i64::from(to) * PER_HOUR - BURST;
            fastrand::Rng::with_seed(seed).i64(i64::from(from) * PER_HOUR..=last)
        });
        let shifts = match volume.shape {
            Shape::Shifted => {
                volume.shift_hours.iter().map(|hours| i64::from(*hours) * PER_HOUR).collect()
            }
            _ => vec![0],
        };
        Self { sums, burst, shifts }
    }

    /// The tick of the day that belongs to a share (0 to 1) of the day's records.
    pub(crate) fn tick(&self, share: f64) -> i64 {
        match self.burst {
            Some(start) if share < 0.5 => {
                #[expect(clippy::cast_possible_truncation, reason = "at most ten minutes in ticks")]
                let within = (share * 2.0 * 6_000_000_000.0) as i64;
                start + within.min(BURST - 1)
            }
            Some(_) => self.usual_tick(share * 2.0 - 1.0),
            None => self.shifted_tick(share),
        }
    }

    fn shifted_tick(&self, share: f64) -> i64 {
        let parts = f64::from(u32::try_from(self.shifts.len()).unwrap_or(1));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to the number of parts"
        )]
        let part = ((share * parts) as usize).min(self.shifts.len() - 1);
        let rest = (share * parts).fract();
        (self.usual_tick(rest) + self.shifts[part]).rem_euclid(ticks::PER_DAY)
    }

    fn usual_tick(&self, share: f64) -> i64 {
        let wanted = share * self.sums[24];
        let hour = (0..24).find(|hour| self.sums[hour + 1] > wanted).unwrap_or(23);
        let width = self.sums[hour + 1] - self.sums[hour];
        let within = if width > 0.0 { (wanted - self.sums[hour]) / width } else { 0.0 };
        let hours = i32::try_from(hour).unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "a tick of the day is far below 2^53")]
        let tick = ((f64::from(hours) + within) * 36_000_000_000.0) as i64;
        tick.clamp(0, ticks::PER_DAY - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number of records in each hour of a day of 1,000.
    fn hours(volume: &str) -> [u32; 24] {
        let volume = toml::from_str(&format!("stream = 'interactiveUser'\n{volume}")).unwrap();
        let curve = Curve::new(&volume, 7);
        let mut hours = [0; 24];
        for index in 0..1000 {
            let hour = curve.tick(f64::from(index) / 1000.0) / PER_HOUR;
            hours[usize::try_from(hour).unwrap()] += 1;
        }
        hours
    }

    #[test]
    fn an_office_works_by_day() {
        let by_day: u32 = hours("shape = 'office'")[7..18].iter().sum();
        assert!(by_day > 800, "{by_day}");
    }

    #[test]
    fn closed_hours_stay_empty() {
        for shape in ["even", "burst", "office"] {
            let hours = hours(&format!("shape = '{shape}'\nhours = [9, 11]"));
            assert_eq!(hours[9] + hours[10], 1000, "{shape}: {hours:?}");
        }
    }

    #[test]
    fn a_burst_holds_half_of_the_day() {
        let hours = hours("shape = 'burst'");
        // Ten minutes touch one hour or two.
        let densest = (0..23).map(|hour| hours[hour] + hours[hour + 1]).max();
        assert!(densest >= Some(500), "{hours:?}");
        assert!(hours.iter().all(|hour| *hour > 0), "{hours:?}");
    }

    #[test]
    fn shifted_offices_work_by_night_too() {
        let hours = hours("shape = 'shifted'\nshift_hours = [0, 12]");
        assert!(hours[9] > 35 && hours[21] > 35, "{hours:?}");
        let early: u32 = self::hours("shape = 'shifted'\nshift_hours = [-9]")[0..6].iter().sum();
        assert!(early > 400, "{early}");
    }
}
