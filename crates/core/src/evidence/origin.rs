//! Origins of signed logs, which are also the names of their keys: `entratrail/<id>/<log>`.

use crate::log::Log;

/// Hexadecimal digits of an id.
const DIGITS: usize = 32;

/// Id of whoever signs: 32 lower-case hexadecimal digits, which say nothing about the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerId(String);

impl SignerId {
    /// Form of an id, for messages.
    pub const FORM: &str = "32 lower-case hexadecimal digits";

    /// Reads an id; `None` where `text` is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == DIGITS && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// Origin of the signed log about `log`.
    pub fn origin(&self, log: Log) -> String {
        format!("entratrail/{}/{}", self.0, log.name())
    }
}

/// Log that a signed log is about, by its origin.
pub fn log_of(origin: &str) -> Option<Log> {
    let (id, name) = origin.strip_prefix("entratrail/")?.split_once('/')?;
    SignerId::parse(id)?;
    Log::ALL.into_iter().find(|log| log.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00112233445566778899aabbccddeeff";

    #[test]
    fn an_origin_names_its_log_and_nothing_else_is_an_origin() {
        let id = SignerId::parse(ID).unwrap();
        for log in Log::ALL {
            assert_eq!(log_of(&id.origin(log)), Some(log));
        }
        for (part, other) in [
            ("entratrail/", "example.com/entratrail/"),
            ("entratrail/", ""),
            ("0011", "001"),
            ("0011", "00112"),
            ("aabb", "AABB"),
            ("0011", "0-11"),
            ("/sign-ins", "/sign-outs"),
            ("/sign-ins", "/x/sign-ins"),
        ] {
            let origin = id.origin(Log::SignIns).replacen(part, other, 1);
            assert_eq!(log_of(&origin), None, "{origin}");
        }
    }
}
