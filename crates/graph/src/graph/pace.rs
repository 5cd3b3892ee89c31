//! The time at which the next request may be sent.

use chrono::{DateTime, TimeDelta, Utc};
use std::collections::VecDeque;

/// Graph counts requests in spans of ten seconds. The margin covers the different times that
/// requests need to get there.
const PERIOD: TimeDelta = TimeDelta::milliseconds(10_050);

/// Limit to which throttling can slow a run down: the period is never stretched beyond this.
const LONGEST_PERIOD: TimeDelta = TimeDelta::seconds(40);

/// Every request that is granted takes back one part in so many of a stretch.
const RECOVERY: i32 = 20;

/// Requests that were sent lately.
#[derive(Debug)]
pub(super) struct Pace {
    requests: usize,
    period: TimeDelta,
    sent: VecDeque<DateTime<Utc>>,
    paused_until: Option<DateTime<Utc>>,
}

impl Pace {
    /// At most `requests` in any ten seconds.
    pub(super) fn new(requests: usize) -> Self {
        Self { requests, period: PERIOD, sent: VecDeque::new(), paused_until: None }
    }

    /// Takes a slot at `now`, or says when to try again.
    pub(super) fn take(&mut self, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        if let Some(until) = self.paused_until.filter(|&until| until > now) {
            return Err(until);
        }
        while self.sent.front().is_some_and(|&sent| sent + self.period <= now) {
            self.sent.pop_front();
        }
        if self.sent.len() >= self.requests {
            return Err(self.sent.front().map_or(now, |&first| first + self.period));
        }
        self.sent.push_back(now);
        self.speed_up();
        Ok(())
    }

    /// Takes back a little of what throttling has slowed down.
    fn speed_up(&mut self) {
        self.period = PERIOD + (self.period - PERIOD) * (RECOVERY - 1) / RECOVERY;
    }

    /// Nobody sends before `until`, and from then on everybody more slowly. Requests that were in
    /// flight together are refused together: that counts once.
    pub(super) fn throttled_until(&mut self, until: DateTime<Utc>, now: DateTime<Utc>) {
        if self.paused_until.is_none_or(|paused| paused <= now) {
            self.period = (self.period + self.period / 4).min(LONGEST_PERIOD);
        }
        self.paused_until = self.paused_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
    }

    proptest! {
        #[test]
        fn no_ten_seconds_hold_more_requests_than_allowed(
            requests in 1usize..8, steps in proptest::collection::vec(0i64..4000, 1..200),
        ) {
            let mut pace = Pace::new(requests);
            let mut now = 0;
            let mut granted = Vec::new();
            for step in steps {
                now += step;
                if pace.take(at(now)).is_ok() {
                    granted.push(now);
                }
            }
            for (index, start) in granted.iter().enumerate() {
                let within = granted[index..].iter().take_while(|&&time| time < start + 10_000).count();
                prop_assert!(within <= requests);
            }
        }
    }

    #[test]
    fn waiting_as_told_uses_the_whole_allowance() {
        let mut pace = Pace::new(5);
        let mut now = at(0);
        for _ in 0..100 {
            if let Err(later) = pace.take(now) {
                now = later;
                assert!(pace.take(now).is_ok());
            }
        }
        assert_eq!(now, at(0) + PERIOD * 19);
    }

    #[test]
    fn throttling_stops_everybody_and_slows_them_down_for_a_while() {
        let mut pace = Pace::new(1);
        pace.throttled_until(at(7000), at(0));
        pace.throttled_until(at(3000), at(10));
        assert_eq!(pace.take(at(20)), Err(at(7000)));
        assert_eq!(pace.take(at(7000)), Ok(()));
        let slower = PERIOD + PERIOD / 4 * (RECOVERY - 1) / RECOVERY;
        assert_eq!(pace.take(at(7001)), Err(at(7000) + slower));
        assert_eq!(pace.take(at(7000) + slower), Ok(()));
        (20..70).for_each(|minute| pace.throttled_until(at(minute * 60_000), at(minute * 60_000)));
        assert_eq!(pace.period, LONGEST_PERIOD);
        (0..200).for_each(|_| pace.speed_up());
        assert!(pace.period < PERIOD + TimeDelta::milliseconds(50));
    }
}
