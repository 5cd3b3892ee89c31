//! The request limit: a sliding window of ten simulated seconds per application and tenant.

use std::collections::VecDeque;

use crate::ticks::PER_SECOND;

/// Arrival times of the last ten seconds. The simulator plays one application in one tenant.
#[derive(Debug)]
pub(crate) struct Limiter {
    allowed: usize,
    arrivals: VecDeque<i64>,
}

impl Limiter {
    /// A limit of `allowed` requests per ten seconds; 0 is no limit.
    pub(crate) fn new(allowed: usize) -> Self {
        Self { allowed, arrivals: VecDeque::new() }
    }

    /// Counts a request, refused ones too, and says whether it is within the limit.
    pub(crate) fn admits(&mut self, now: i64) -> bool {
        if self.allowed == 0 {
            return true;
        }
        while self.arrivals.front().is_some_and(|first| now - first >= 10 * PER_SECOND) {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(now);
        self.arrivals.len() <= self.allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(seconds: &[i64]) -> Vec<bool> {
        let mut limiter = Limiter::new(5);
        seconds.iter().map(|second| limiter.admits(second * PER_SECOND)).collect()
    }

    #[test]
    fn the_sixth_request_in_ten_seconds_is_refused() {
        assert_eq!(admitted(&[0, 1, 2, 3, 4, 9]), [true, true, true, true, true, false]);
        assert_eq!(admitted(&[0, 2, 4, 6, 8, 10, 12]), [true; 7]);
    }

    #[test]
    fn refused_requests_count_too() {
        assert_eq!(
            admitted(&[0, 0, 0, 0, 0, 5, 10, 11]),
            [true, true, true, true, true, false, true, true]
        );
        assert_eq!(admitted(&[0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 10]).last(), Some(&false));
    }
}
