//! The command line: a few flags, and one clear sentence for each mistake.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Plays Microsoft Entra's token endpoint and Microsoft Graph's audit logs on 127.0.0.1.

Usage: graph-simulator [FLAGS]

  --scenario FILE  play this scenario instead of the built-in tenant
  --port N         listen on this port instead of 8080 (0: any free port)
  --speed N        simulated seconds per second, 1 to 10000
  --no-limit       never answer 429 because of too many requests
  --help           show this text
  --version        show the version
";

/// Request of the command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Serve(Flags),
    Help,
    Version,
}

/// Options for serving a scenario.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) scenario: Option<PathBuf>,
    port: u16,
    pub(crate) speed: Option<u32>,
    pub(crate) no_limit: bool,
}

impl Flags {
    /// Reads the arguments, without the program's own name.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
        let mut flags = Self { scenario: None, port: 8080, speed: None, no_limit: false };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let (name, attached) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            let mut value = || attached.clone().or_else(|| arguments.next());
            match name.as_str() {
                "--help" | "-h" => return Ok(Command::Help),
                "--version" | "-V" => return Ok(Command::Version),
                "--no-limit" => flags.no_limit = true,
                "--scenario" => {
                    flags.scenario = Some(value().ok_or("--scenario needs a file")?.into());
                }
                "--port" => {
                    flags.port =
                        number(value(), "--port needs a number from 0 to 65535", 0..=65535)?;
                }
                "--speed" => {
                    flags.speed = Some(number(
                        value(),
                        "--speed needs a number from 1 to 10000",
                        1..=10_000,
                    )?);
                }
                _ => return Err(format!("{name} is not a flag; --help lists them")),
            }
        }
        Ok(Command::Serve(flags))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }
}

fn number<N: TryFrom<u32>>(
    value: Option<String>,
    sentence: &str,
    allowed: std::ops::RangeInclusive<u32>,
) -> Result<N, String> {
    let number = value.and_then(|text| text.parse().ok()).filter(|number| allowed.contains(number));
    number.and_then(|number| N::try_from(number).ok()).ok_or_else(|| sentence.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Flags::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_are_read_in_both_spellings() {
        let expected =
            Flags { scenario: Some("a.toml".into()), port: 0, speed: Some(60), no_limit: true };
        let line = "--scenario a.toml --port=0 --speed 60 --no-limit";
        assert_eq!(parse(line), Ok(Command::Serve(expected)));
        assert_eq!(parse("--port 1 --help"), Ok(Command::Help));
    }

    #[test]
    fn mistakes_get_one_sentence() {
        for line in ["--prot 1", "--port", "--port 65536", "--speed 0", "--scenario", "serve"] {
            assert!(parse(line).is_err_and(|sentence| !sentence.contains('\n')), "{line}");
        }
    }
}
