//! Whether this machine's clock can be trusted: what is called proof rests on it.

use chrono::TimeDelta;
use entratrail::error::Error;

/// A clock that is off by more makes wrong proof.
const MOST_OFF: TimeDelta = TimeDelta::minutes(5);

/// Refuses to go on where Entra's clock is far ahead of ours, or far behind.
pub(crate) fn check(server_ahead: Option<TimeDelta>) -> Result<(), Error> {
    match server_ahead {
        Some(ahead) if ahead.abs() > MOST_OFF => Err(Error::configuration(format!(
            "this machine's clock is {} minutes {} Entra's, and a wrong clock makes wrong proof",
            ahead.num_minutes().abs(),
            if ahead > TimeDelta::zero() { "behind" } else { "ahead of" }
        ))
        .with_remedy("set the clock, then start again")
        .and("nothing was read")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_off_by_minutes_and_not_by_hours() {
        let check =
            |minutes| check(Some(TimeDelta::minutes(minutes))).map_err(|error| error.to_string());
        assert!(check(4).is_ok() && check(-4).is_ok() && super::check(None).is_ok());
        assert!(check(180).unwrap_err().contains("180 minutes behind"));
        assert!(check(-180).unwrap_err().contains("180 minutes ahead of"));
    }
}
