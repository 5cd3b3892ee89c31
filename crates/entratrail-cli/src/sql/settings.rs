//! Settings that the owner of a tenant knows better than the questions: a file of lines
//! `NAME=VALUE`, named as the parameters of the stack.

use entratrail::error::Error;
use entratrail::named_file;
use entratrail::shown::describe;
use entratrail_questions::SETTINGS;
use std::collections::BTreeMap;
use std::path::Path;

/// Values of settings; those that are not named are empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings(BTreeMap<&'static str, String>);

impl Settings {
    /// Reads the file at `path`; without one, all settings are empty.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = named_file::read_text(path).map_err(|error| {
            Error::configuration(format!(
                "the settings in {} could not be read: {error}",
                path.display()
            ))
            .with_source(error)
        })?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let mut settings = Self::default();
        for line in
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            let known = SETTINGS.into_iter().find(|known| *known == name.trim());
            let Some(known) = known else {
                return Err(Error::configuration(format!(
                    "the settings name {}; there are {}",
                    describe(name),
                    SETTINGS.join(", ")
                )));
            };
            settings.0.insert(known, value.trim().to_owned());
        }
        Ok(settings)
    }

    /// The value of `name` as a literal of SQL.
    pub(crate) fn literal(&self, name: &str) -> String {
        format!("'{}'", self.0.get(name).map_or("", String::as_str).replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_literal_whatever_it_holds() {
        let settings =
            Settings::parse("# ours\nTrustedNetworks = 192.0.2.\nBreakGlassAccounts=o'neil@c\n")
                .unwrap();
        assert_eq!(settings.literal("TrustedNetworks"), "'192.0.2.'");
        assert_eq!(settings.literal("BreakGlassAccounts"), "'o''neil@c'");
        assert_eq!(settings.literal("ImportantApplications"), "''");
    }

    #[test]
    fn a_setting_that_nobody_knows_is_refused() {
        let refusal = Settings::parse("BreakGlasAccounts=a").unwrap_err().to_string();
        assert!(refusal.contains("BreakGlassAccounts"), "{refusal}");
    }
}
