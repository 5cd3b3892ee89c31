//! A question, as its file has it.

use crate::header::Header;
use serde::Serialize;

/// A question that is saved in Athena.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Stable name of its file and of its resource in the stack.
    pub id: String,
    /// The question itself.
    pub name: String,
    /// Content of an answer, in a sentence.
    #[serde(rename = "description")]
    pub summary: String,
    /// Gravity of an answer.
    pub severity: Severity,
    /// Techniques of MITRE ATT&CK that an answer may be a trace of.
    pub techniques: Vec<String>,
    /// Columns and days that it reads.
    pub scans: String,
    /// Fields of the Graph record without which it finds nothing.
    pub fields: String,
    /// Traces that it does not see.
    pub blind: String,
    /// Columns that tell one finding from another, whatever else of its row changes.
    #[serde(skip)]
    pub key: Vec<String>,
    /// Sentence of a mail about one row; `None` where no row is mailed. `{column}` is its value
    /// there, and what stands in brackets is left out where a value in them is empty.
    #[serde(skip)]
    pub told: Option<String>,
    /// The whole file, as Athena saves it.
    pub sql: String,
}

/// Gravity of an answer, the gravest first; `docs/ask.md` says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody may be inside: look today.
    High,
    /// A door was opened, or tried in earnest: look this week.
    Medium,
    /// Unusual, mostly harmless: context for the others.
    Low,
    /// No trouble is looked for.
    Overview,
}

impl Severity {
    /// Every severity, the gravest first.
    pub const ALL: [Self; 4] = [Self::High, Self::Medium, Self::Low, Self::Overview];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Overview => "overview",
        }
    }
}

impl Question {
    /// The question of a file; `None` where metadata are missing.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let header = Header::read(text);
        let severity = header.value("severity")?;
        Some(Self {
            id: header.value("id")?,
            name: header.value("name")?,
            summary: header.value("summary")?,
            severity: Severity::ALL.into_iter().find(|known| known.name() == severity)?,
            techniques: list(header.value("technique")),
            scans: header.value("scans")?,
            fields: header.value("fields").unwrap_or_default(),
            blind: header.value("blind").unwrap_or_default(),
            key: list(header.value("key")),
            told: header.value("told"),
            sql: text.to_owned(),
        })
    }

    /// Name of its resource in the stack: `password-spray` is `PasswordSpray`.
    pub fn logical_id(&self) -> String {
        crate::generated::camel(&self.id, '-')
    }
}

/// The parts of a list with commas.
fn list(value: Option<String>) -> Vec<String> {
    let value = value.unwrap_or_default();
    value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
