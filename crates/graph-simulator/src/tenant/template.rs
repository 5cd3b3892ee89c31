//! Record templates: JSON with places to fill, cut once so that a record costs little more than
//! copying.

use crate::tenant::directory::Directory;

/// Writes one value of a record.
pub(crate) type WriteField<R> = fn(&mut Vec<u8>, &mut R, &Directory);

/// A template that was cut at its places.
pub(crate) struct Template<R: 'static> {
    pieces: Vec<Piece<R>>,
}

enum Piece<R: 'static> {
    Text(Vec<u8>),
    Field(WriteField<R>),
}

impl<R> Template<R> {
    /// Cuts a template. `{{future:member}}` is the member, or what hides it from callers that did
    /// not ask for members after the sentinel of an enum. A place without a field stays visible, so
    /// that tests find it.
    pub(crate) fn cut(text: &str, fields: &[(&str, WriteField<R>)], masked: bool) -> Self {
        let text = without_blanks(text);
        let mut pieces = Vec::new();
        let mut parts = text.split("{{");
        let mut literal = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
            if let Some(member) = name.strip_prefix("future:") {
                literal.push_str(if masked { "unknownFutureValue" } else { member });
            } else if let Some((_, field)) = fields.iter().find(|(known, _)| *known == name) {
                pieces.push(Piece::Text(std::mem::take(&mut literal).into_bytes()));
                pieces.push(Piece::Field(*field));
            } else {
                literal.push_str("{{unknown}}");
            }
            literal.push_str(rest);
        }
        pieces.push(Piece::Text(literal.into_bytes()));
        Self { pieces }
    }

    /// Writes a record.
    pub(crate) fn write(&self, out: &mut Vec<u8>, record: &mut R, directory: &Directory) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Field(field) => field(out, record, directory),
            }
        }
    }
}

/// Writes a text that is ready to stand in a record.
pub(crate) fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

impl<R> std::fmt::Debug for Template<R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Template({} pieces)", self.pieces.len())
    }
}

/// The template without the white space between its tokens: Graph sends none.
fn without_blanks(text: &str) -> String {
    let mut in_string = false;
    let mut escaped = false;
    text.chars()
        .filter(|character| {
            if in_string {
                in_string = escaped || *character != '"';
                escaped = !escaped && *character == '\\';
                return true;
            }
            in_string = *character == '"';
            !character.is_whitespace()
        })
        .collect()
}
