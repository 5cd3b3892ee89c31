//! When things happen in an office: record times spread over a day.

use crate::scenario::Shape;
use crate::ticks;

/// How busy each hour of the day is, UTC, for people who mostly work in Europe.
const OFFICE: [u32; 24] =
    [2, 1, 1, 1, 2, 6, 20, 55, 95, 100, 92, 85, 70, 88, 95, 90, 75, 52, 28, 18, 13, 10, 7, 4];

/// Sums of the weights up to each hour, for drawing.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    sums: [f64; 25],
}

impl Curve {
    pub(crate) fn new(shape: Shape, hours: (u8, u8)) -> Self {
        let mut sums = [0.0; 25];
        for hour in 0..24_u8 {
            let open = (hours.0..hours.1).contains(&hour);
            let weight = match shape {
                Shape::Office => f64::from(OFFICE[usize::from(hour)]),
                Shape::Even => 1.0,
            };
            sums[usize::from(hour) + 1] = sums[usize::from(hour)] + if open { weight } else { 0.0 };
        }
        Self { sums }
    }

    /// The tick of the day that belongs to a share (0 to 1) of the day's records.
    pub(crate) fn tick(&self, share: f64) -> i64 {
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

    #[test]
    fn an_office_works_by_day() {
        let curve = Curve::new(Shape::Office, (0, 24));
        let by_day = (0..1000)
            .map(|index| curve.tick(f64::from(index) / 1000.0) / 36_000_000_000)
            .filter(|hour| (7..18).contains(hour))
            .count();
        assert!(by_day > 800, "{by_day}");
    }

    #[test]
    fn closed_hours_stay_empty() {
        let curve = Curve::new(Shape::Even, (9, 11));
        for index in 0..1000 {
            let hour = curve.tick(f64::from(index) / 1000.0) / 36_000_000_000;
            assert!((9..11).contains(&hour), "{hour}");
        }
    }
}
