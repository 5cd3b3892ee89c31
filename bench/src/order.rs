//! The command line.

/// What `--help` prints.
pub(crate) const HELP: &str = "\
usage: bench [speed] [cpu] [memory] [start] [--factor N]

Measures what EntraTrail promises and prints each figure beside its target; without a name, everything.

  speed   a day of 100,000 sign-ins at Graph's limit of requests, beside a reader that takes page after page
  cpu     CPU time per record, beside what unpacking and compressing the same bytes costs by itself
  memory  peak memory of a run of 50,000 records and of one of 1,000,000
  start   time from the start of a function's process to its first question for an event, and its size

  --factor N  how much faster than real time speed runs (default 5): 1 takes a quarter of an hour

Needs the functions' binaries beside its own: cargo build --release --workspace && target/release/bench
The exit status is 1 where a run could not be measured or lost a record, and 2 for an unknown word; a missed target
changes nothing.
";

/// Real overheads count this many times; five keeps the CPU time of a page far below its latency.
const DEFAULT_FACTOR: u32 = 5;

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measurement {
    Speed,
    Cpu,
    Memory,
    Start,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Explain.
    Help,
    /// Measure, one thing after the other.
    Measure { measurements: Vec<Measurement>, factor: u32 },
}

impl Order {
    /// Reads the words behind the program's name.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let (mut measurements, mut factor) = (Vec::new(), DEFAULT_FACTOR);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "speed" => measurements.push(Measurement::Speed),
                "cpu" => measurements.push(Measurement::Cpu),
                "memory" => measurements.push(Measurement::Memory),
                "start" => measurements.push(Measurement::Start),
                "--help" | "-h" => return Ok(Self::Help),
                "--factor" => factor = parse_factor(words.next())?,
                unknown => return Err(format!("\"{unknown}\" is unknown")),
            }
        }
        if measurements.is_empty() {
            measurements =
                vec![Measurement::Speed, Measurement::Cpu, Measurement::Memory, Measurement::Start];
        }
        Ok(Self::Measure { measurements, factor })
    }
}

fn parse_factor(word: Option<&String>) -> Result<u32, String> {
    let factor = word.and_then(|word| word.parse().ok()).filter(|factor| (1..=100).contains(factor));
    factor.ok_or_else(|| "--factor needs a whole number from 1 to 100".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Order, String> {
        Order::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn without_a_name_everything_is_measured() {
        let Ok(Order::Measure { measurements, factor }) = parse("") else { panic!() };
        assert_eq!((measurements.len(), factor), (4, DEFAULT_FACTOR));
    }

    #[test]
    fn names_and_factor_are_understood_in_any_order() {
        let order = Order::Measure { measurements: vec![Measurement::Start, Measurement::Speed], factor: 1 };
        assert_eq!(parse("start --factor 1 speed"), Ok(order));
        assert_eq!(parse("speed --help"), Ok(Order::Help));
    }

    #[test]
    fn unknown_words_are_refused() {
        for text in ["fast", "speed --factor", "--factor 0", "--factor x", "--child"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
