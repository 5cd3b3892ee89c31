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
        let techniques = header.value("technique").unwrap_or_default();
        let techniques = techniques.split(',').map(str::trim).filter(|technique| !technique.is_empty());
        Some(Self {
            id: header.value("id")?,
            name: header.value("name")?,
            summary: header.value("summary")?,
            severity: Severity::ALL.into_iter().find(|known| known.name() == severity)?,
            techniques: techniques.map(str::to_owned).collect(),
            scans: header.value("scans")?,
            fields: header.value("fields").unwrap_or_default(),
            blind: header.value("blind").unwrap_or_default(),
            sql: text.to_owned(),
        })
    }

    /// Name of its resource in the stack: `password-spray` is `PasswordSpray`.
    pub fn logical_id(&self) -> String {
        crate::generated::camel(&self.id, '-')
    }
}
