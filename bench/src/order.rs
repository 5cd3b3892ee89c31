//! The command line.

use std::time::Duration;

/// Text that `--help` prints.
pub(crate) const HELP: &str = "\
usage: bench [speed] [cpu] [memory] [evidence] [start] [readers] [--factor N] [--quick] [--patience N]

Measures what EntraTrail promises and prints each figure beside its target; without a name, everything.

  speed    a day of 100,000 sign-ins at Graph's limit of requests, beside a reader that takes page after page
  cpu      CPU time per record, beside what unpacking and compressing the same bytes costs by itself
  memory   peak memory of a run of 50,000 records and of one of 1,000,000
  evidence CPU time and peak memory of the same run with and without a key that signs the history of the ledger
  start    time from the start of a function's process to its first question for an event
  readers  what is kept, doubled and lost, beside a reader made with msgraph-sdk and one made with graph-rs-sdk: clean
           days of 10,000, 100,000 and 1,000,000 records, then one fault after another; an hour, most of it msgraph-sdk's

  --factor N    how much faster than real time speed runs (default 5): 1 takes a quarter of an hour
  --quick       readers: of the clean days only the one of 10,000 records; minutes
  --patience N  readers: minutes after which a run is broken off and counts as a failure (default 30)

Needs the functions' binaries beside its own: make bench
The exit status is 1 where a run could not be measured or the product lost, doubled or altered a record, and 2 for an
unknown word; a missed target changes nothing, and neither does what another reader loses.
";

/// Real overheads count this many times; five keeps the CPU time of a page far below its latency.
const DEFAULT_FACTOR: u32 = 5;
const DEFAULT_PATIENCE: Duration = Duration::from_mins(30);

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measurement {
    Speed,
    Cpu,
    Memory,
    Evidence,
    Start,
    Readers,
}

/// Under which terms things are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Simulated seconds per second, for the speed.
    pub(crate) factor: u32,
    /// Whether the readers are spared the large days.
    pub(crate) is_quick: bool,
    /// Longest time that one run of a reader may take.
    pub(crate) patience: Duration,
}

/// Work that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Explain.
    Help,
    /// Measure, one thing after the other.
    Measure { measurements: Vec<Measurement>, terms: Terms },
}

impl Measurement {
    const ALL: [Self; 6] =
        [Self::Speed, Self::Cpu, Self::Memory, Self::Evidence, Self::Start, Self::Readers];
}

impl Default for Terms {
    fn default() -> Self {
        Self { factor: DEFAULT_FACTOR, is_quick: false, patience: DEFAULT_PATIENCE }
    }
}

impl Order {
    /// Reads the words behind the program's name.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let mut measurements = Vec::new();
        let mut terms = Terms::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "speed" => measurements.push(Measurement::Speed),
                "cpu" => measurements.push(Measurement::Cpu),
                "memory" => measurements.push(Measurement::Memory),
                "evidence" => measurements.push(Measurement::Evidence),
                "start" => measurements.push(Measurement::Start),
                "readers" => measurements.push(Measurement::Readers),
                "--help" | "-h" => return Ok(Self::Help),
                "--factor" => terms.factor = whole_number("--factor", words.next(), 100)?,
                "--quick" => terms.is_quick = true,
                "--patience" => {
                    let minutes = whole_number("--patience", words.next(), 1440)?;
                    terms.patience = Duration::from_mins(minutes.into());
                }
                unknown => return Err(format!("\"{unknown}\" is unknown")),
            }
        }
        if measurements.is_empty() {
            measurements = Measurement::ALL.to_vec();
        }
        Ok(Self::Measure { measurements, terms })
    }
}

fn whole_number(name: &str, word: Option<&String>, most: u32) -> Result<u32, String> {
    let number =
        word.and_then(|word| word.parse().ok()).filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("{name} needs a whole number from 1 to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Order, String> {
        Order::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn without_a_name_everything_is_measured() {
        let order =
            Order::Measure { measurements: Measurement::ALL.to_vec(), terms: Terms::default() };
        assert_eq!(parse(""), Ok(order));
    }

    #[test]
    fn names_and_terms_are_understood_in_any_order() {
        let measurements = vec![Measurement::Start, Measurement::Readers, Measurement::Speed];
        let terms = Terms { factor: 1, is_quick: true, patience: Duration::from_mins(5) };
        let order = Order::Measure { measurements, terms };
        assert_eq!(parse("start --factor 1 readers --patience 5 speed --quick"), Ok(order));
        assert_eq!(parse("speed --help"), Ok(Order::Help));
    }

    #[test]
    fn unknown_words_are_refused() {
        for text in [
            "fast",
            "speed --factor",
            "--factor 0",
            "--factor x",
            "--patience 0",
            "--patience",
            "--child",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
