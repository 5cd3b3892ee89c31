//! The comments on top of a file: `-- key: value`, and lines indented below the value that go on
//! with it.

/// Keys, values and the SQL below them.
#[derive(Debug, Default)]
pub(crate) struct Header {
    entries: Vec<(String, String)>,
}

/// Blanks after `--` that mark a line as the rest of a value.
const REST: &str = "    ";

impl Header {
    /// Metadata of `text`: it ends at the first line that is neither an entry nor the rest of one.
    pub(crate) fn read(text: &str) -> Self {
        let mut header = Self::default();
        for line in text.lines().map_while(|line| line.strip_prefix("--")) {
            if let Some(rest) = line.strip_prefix(REST) {
                let Some((_, value)) = header.entries.last_mut() else { break };
                value.push(' ');
                value.push_str(rest.trim());
            } else if let Some((key, value)) = line.trim().split_once(':') {
                header.entries.push((key.to_owned(), value.trim().to_owned()));
            } else {
                break;
            }
        }
        header
    }

    /// The value of `key`.
    pub(crate) fn value(&self, key: &str) -> Option<String> {
        self.values(key).next().map(str::to_owned)
    }

    /// The values of a key that may come more than once.
    pub(crate) fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(move |(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

/// The text below the comments on top.
pub(crate) fn body(text: &str) -> String {
    let lines: Vec<_> = text.lines().skip_while(|line| line.starts_with("--")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_on_below_itself_and_notes_are_no_entries() {
        let text = "-- id:  spray\n-- blind: one,\n--        two\n--\n-- note: none\nSELECT 1\n";
        let header = Header::read(text);
        assert_eq!(header.value("id").as_deref(), Some("spray"));
        assert_eq!(header.value("blind").as_deref(), Some("one, two"));
        assert_eq!(header.value("note"), None);
        assert_eq!(body(text), "SELECT 1");
    }
}
