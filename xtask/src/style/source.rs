//! One file of Rust, looked at line by line.
//!
//! No parser: a line is judged by how it begins. `rustfmt` puts every construct that is counted
//! here at the beginning of a line, so that a tree it has formatted is counted right.

use std::collections::BTreeMap;

const MAX_COLUMNS: usize = 100;
/// Beginnings of a first line that names nothing.
const VAGUE: [&str; 5] = ["What ", "How ", "Where ", "Which ", "The same"];
const KINDS: [&str; 5] = ["struct ", "enum ", "union ", "trait ", "type "];

/// Counts of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Lines of any kind.
    pub(super) lines: usize,
    /// Lines of code.
    pub(super) code: usize,
    /// Lines over the limit.
    pub(super) long: usize,
    /// Items with documentation.
    pub(super) documented: usize,
    /// Documentation whose first line names nothing.
    pub(super) vague: usize,
    /// Closures with a name.
    pub(super) closures: usize,
    /// Tuples that are taken apart where they are made.
    pub(super) tuples: usize,
    /// Comments that are no documentation.
    pub(super) inline: usize,
    /// Number of types of each name.
    names: BTreeMap<String, usize>,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.code += other.code;
        self.long += other.long;
        self.documented += other.documented;
        self.vague += other.vague;
        self.closures += other.closures;
        self.tuples += other.tuples;
        self.inline += other.inline;
        for (name, count) in &other.names {
            *self.names.entry(name.clone()).or_default() += count;
        }
    }

    /// The counts of a crate beside others: a name that two crates have is not shared.
    pub(super) fn named_after(&self, crate_name: &str) -> Self {
        let names =
            self.names.iter().map(|(name, count)| (format!("{crate_name}::{name}"), *count));
        Self { names: names.collect(), ..self.clone() }
    }

    /// Types that were defined.
    pub(super) fn types(&self) -> usize {
        self.names.values().sum()
    }

    /// Types that share their name with another one.
    pub(super) fn shared_types(&self) -> usize {
        self.names.values().filter(|count| **count > 1).sum()
    }
}

/// A file without its tests.
#[derive(Debug)]
pub(super) struct SourceFile<'text> {
    lines: Vec<&'text str>,
}

impl<'text> SourceFile<'text> {
    /// Leaves out modules of tests: what follows `#[cfg(test)]`, up to the brace that ends it.
    pub(super) fn new(text: &'text str) -> Self {
        let mut lines = Vec::new();
        let mut all = text.lines();
        while let Some(line) = all.next() {
            if line.trim() != "#[cfg(test)]" {
                lines.push(line);
                continue;
            }
            let indent = &line[..line.len() - line.trim_start().len()];
            let end = format!("{indent}}}");
            let is_block = all.next().is_some_and(|item| item.ends_with('{'));
            if is_block {
                all.by_ref().find(|line| *line == end);
            }
        }
        Self { lines }
    }

    pub(super) fn count(&self) -> Counts {
        let mut counts = Counts { lines: self.lines.len(), ..Counts::default() };
        let mut was_documentation = false;
        // rustfmt puts a value that is too long for the line of its name on the next one.
        let mut awaits_value = false;
        for line in &self.lines {
            let text = line.trim_start();
            counts.long += usize::from(line.chars().count() > MAX_COLUMNS);
            let documentation = text.strip_prefix("///").or_else(|| text.strip_prefix("//!"));
            if let Some(words) = documentation {
                let is_first = !was_documentation;
                let words = words.trim_start();
                counts.documented += usize::from(is_first);
                let is_vague = VAGUE.iter().any(|beginning| words.starts_with(beginning));
                counts.vague += usize::from(is_first && is_vague);
            } else if text.starts_with("//") {
                counts.inline += 1;
            } else if !text.is_empty() {
                counts.code += 1;
                counts.inline += usize::from(ends_with_comment(text));
                counts.closures += usize::from(awaits_value && begins_closure(text));
                counts.look_at_code(text);
                counts.look_at_item(line);
                awaits_value = text.starts_with("let ") && text.ends_with(" =");
            }
            was_documentation = documentation.is_some();
        }
        counts
    }
}

impl Counts {
    fn look_at_code(&mut self, text: &str) {
        if let Some(binding) = text.strip_prefix("let ") {
            self.closures += usize::from(is_closure(binding));
            self.tuples += usize::from(binding.starts_with('(') && binding.contains(") = ("));
        }
    }

    fn look_at_item(&mut self, line: &str) {
        let item = without_visibility(line.trim_start());
        let name = KINDS.iter().find_map(|kind| item.strip_prefix(kind));
        if let Some(name) = name {
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            // An associated type has the name that its trait gives it.
            let is_associated = item.starts_with("type ") && line.starts_with(' ');
            if end > 0 && !is_associated {
                *self.names.entry(name[..end].to_owned()).or_default() += 1;
            }
        }
    }
}

/// Whether a `let` gives a closure a name.
fn is_closure(binding: &str) -> bool {
    binding.split_once(" = ").is_some_and(|(_, value)| begins_closure(value))
}

fn begins_closure(value: &str) -> bool {
    let value = value.strip_prefix("async ").unwrap_or(value);
    value.strip_prefix("move ").unwrap_or(value).starts_with('|')
}

fn without_visibility(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("pub") else { return text };
    let rest =
        rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
    rest.trim_start()
}

/// Whether a comment follows the code, outside any text in quotes.
fn ends_with_comment(text: &str) -> bool {
    text.split_once(" // ").is_some_and(|(code, _)| code.matches('"').count() % 2 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> Counts {
        SourceFile::new(text).count()
    }

    #[test]
    fn the_first_line_of_documentation_is_judged_and_no_other() {
        let counts =
            count("/// What it is.\n/// How it works.\nfn a() {}\n/// Names a thing.\nfn b() {}\n");
        assert_eq!((counts.documented, counts.vague), (2, 1));
    }

    #[test]
    fn types_share_a_name_within_a_crate() {
        let counts = count(
            "pub struct Place;\npub(crate) enum Place {}\ntrait Other {}\nstruct Pair<T>(T);\n",
        );
        assert_eq!((counts.types(), counts.shared_types()), (4, 2));
    }

    #[test]
    fn an_associated_type_has_the_name_of_its_trait() {
        let counts = count("type Error = A;\nimpl B for C {\n    type Error = A;\n}\n");
        assert_eq!((counts.types(), counts.shared_types()), (1, 0));
    }

    #[test]
    fn two_crates_may_use_the_same_name() {
        let mut all = count("struct Place;\n").named_after("one");
        all.add(&count("struct Place;\n").named_after("other"));
        assert_eq!((all.types(), all.shared_types()), (2, 0));
    }

    #[test]
    fn closures_with_names_and_packed_tuples_are_counted() {
        let code = "let is_new = |row| row.new;\nlet go = async move || ();\nlet (a, b) = (1, 2);\n\
                    let (a, b) = pair();\nlet sum = rows.map(|row| row.new);\n\
                    let far =\n    |row| row.new;\nlet near =\n    rows.map(|row| row.new);\n";
        let counts = count(code);
        assert_eq!((counts.closures, counts.tuples), (3, 1));
    }

    #[test]
    fn comments_are_counted_outside_of_text() {
        let counts =
            count("// a reason\nlet a = 1; // the limit\nlet url = \"https: // no comment\";\n");
        assert_eq!((counts.inline, counts.code), (2, 2));
    }

    #[test]
    fn long_lines_are_counted_by_columns() {
        let counts = count(&format!("// {}\n// {}\n", "ü".repeat(97), "u".repeat(98)));
        assert_eq!(counts.long, 1);
    }

    #[test]
    fn tests_are_left_out() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n    struct Place;\n}\nstruct \
                    Place;\n#[cfg(test)]\nmod more;\nfn b() {}\n";
        let counts = count(code);
        assert_eq!((counts.code, counts.types()), (3, 1));
    }
}
