//! The canonical form of a JSON text: one sequence of bytes for everything that means the same.
//!
//! It is that of [RFC 8785](https://www.rfc-editor.org/rfc/rfc8785): no white space, members sorted
//! by the UTF-16 code units of their keys, strings decoded and escaped one way. It departs from it
//! where RFC 8785 would lose content or refuse a text:
//!
//! - A number is an exact decimal in one form: its digits without leading or trailing zeros, `e`,
//!   the exponent. `47.0` is `47e0`, `4700` is `47e2`, and every zero is `0`.
//! - Half a surrogate pair is written `\udxxx`, in lower case.
//! - Bytes that are no UTF-8 stay as they are.
//! - Members with the same key all stay, in the order in which they came.

mod number;
mod string;
#[cfg(test)]
mod tests;

use number::translate_scalar;
use std::cmp::Ordering;
use std::ops::Range;
use string::{code_units, translate_string};

/// Memory in which one value after another is brought into its canonical form.
#[derive(Debug, Default)]
pub(crate) struct Canonicalizer {
    translation: Translation,
    canonical: Canonical,
}

/// Canonical form of one JSON value.
#[derive(Debug, Default)]
pub(crate) struct Canonical {
    bytes: Vec<u8>,
    /// The members of the value itself where it is an object, sorted.
    members: Vec<TopMember>,
}

/// A member of the outermost object: where its key and its value stand in the canonical form.
#[derive(Debug)]
struct TopMember {
    key: Range<usize>,
    value: Range<usize>,
}

impl Canonicalizer {
    /// Canonicalizes `json`, one valid JSON value. Anything else gives bytes of no meaning.
    ///
    /// Takes time in proportion to the length, and to `n log n` for an object of `n` members.
    /// Nothing recurses, so that no nesting exhausts the stack, and no part is moved twice: the
    /// tokens are translated in their order first, then copied in the order of the keys.
    pub(crate) fn canonicalize(&mut self, json: &[u8]) -> &Canonical {
        self.translation.clear();
        self.translation.tokens.reserve(json.len() + json.len() / 16);
        self.translation.run(json);
        self.canonical.bytes.clear();
        self.canonical.members.clear();
        self.canonical.bytes.reserve(self.translation.tokens.len());
        self.translation.in_key_order(&mut self.canonical);
        &self.canonical
    }
}

impl Canonical {
    /// The canonical form.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The canonical value of the last member with that key, which is ASCII and needs no escape.
    pub(crate) fn member(&self, key: &str) -> Option<&[u8]> {
        let member = self.members.iter().rev().find(|member| {
            let quoted = self.bytes.get(member.key.clone()).unwrap_or_default();
            quoted.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\""))
                == Some(key.as_bytes())
        })?;
        self.bytes.get(member.value.clone())
    }
}

/// The canonical tokens of a text in their own order, and how the members of its objects are
/// sorted.
#[derive(Debug, Default)]
struct Translation {
    tokens: Vec<u8>,
    /// Objects and arrays that are open.
    open: Vec<Container>,
    /// Members of the objects that are open; those of the innermost object come last.
    pending: Vec<Member>,
    /// Objects in the order of their first byte, but those that can be copied as they are.
    objects: Vec<Object>,
    /// The sorted members of `objects`.
    sorted: Vec<Member>,
}

#[derive(Debug, Clone, Copy)]
enum Container {
    Array,
    Object {
        /// Its place in `objects`.
        object: usize,
        /// Its first member in `pending`.
        first: usize,
        is_sorted: bool,
    },
}

/// An object in `tokens`.
#[derive(Debug)]
struct Object {
    /// From its opening brace to its closing one, which is not included.
    tokens: Range<usize>,
    /// Its members in `sorted`; none where they can stay as they are.
    members: Range<usize>,
    /// The first object after it in `objects`.
    next: usize,
}

/// A member in `tokens`: its key, a colon and its value.
#[derive(Debug, Clone, Copy)]
struct Member {
    start: usize,
    /// The byte after the closing quote of the key.
    key_end: usize,
    end: usize,
    /// The first object in `objects` that does not start before it.
    object: usize,
    /// Whether the order of the key's bytes is that of its code units.
    is_plain: bool,
    /// The first eight bytes of the key, zeros where it is shorter: nearly all keys of an object
    /// differ in them.
    prefix: u64,
}

impl Translation {
    fn clear(&mut self) {
        self.tokens.clear();
        self.open.clear();
        self.pending.clear();
        self.objects.clear();
        self.sorted.clear();
    }

    fn run(&mut self, json: &[u8]) {
        let mut rest = json;
        let mut expects_key = false;
        while let Some(&byte) = rest.first() {
            let length = match byte {
                b' ' | b'\t' | b'\n' | b'\r' => 1,
                b'"' if expects_key => {
                    expects_key = false;
                    self.key(rest)
                }
                b'"' => translate_string(rest, &mut self.tokens).length,
                b'{' | b'[' => {
                    expects_key = byte == b'{';
                    self.start(byte);
                    1
                }
                b'}' | b']' => {
                    expects_key = false;
                    self.end(byte);
                    1
                }
                b',' => {
                    expects_key = self.end_member();
                    self.tokens.push(b',');
                    1
                }
                b':' => {
                    self.tokens.push(b':');
                    1
                }
                _ => translate_scalar(rest, &mut self.tokens),
            };
            rest = &rest[length..];
        }
    }

    fn start(&mut self, brace: u8) {
        let start = self.tokens.len();
        self.tokens.push(brace);
        if brace == b'[' {
            return self.open.push(Container::Array);
        }
        self.open.push(Container::Object {
            object: self.objects.len(),
            first: self.pending.len(),
            is_sorted: true,
        });
        self.objects.push(Object { tokens: start..start, members: 0..0, next: 0 });
    }

    /// Translates the key at the start of `rest`, and returns its length.
    fn key(&mut self, rest: &[u8]) -> usize {
        let start = self.tokens.len();
        let string = translate_string(rest, &mut self.tokens);
        let key_length = (self.tokens.len() - start).saturating_sub(2);
        let key = self.tokens.get(start + 1..start + 1 + key_length).unwrap_or_default();
        let prefix = key.first_chunk().copied().unwrap_or_else(|| {
            let mut prefix = [0; 8];
            prefix[..key.len()].copy_from_slice(key);
            prefix
        });
        let member = Member {
            start,
            key_end: self.tokens.len(),
            end: start,
            object: self.objects.len(),
            is_plain: !string.has_escapes && self.tokens[start..].is_ascii(),
            prefix: u64::from_be_bytes(prefix),
        };
        if let Some(Container::Object { first, is_sorted, .. }) = self.open.last_mut() {
            let before = self.pending.get(*first..).unwrap_or_default().last();
            *is_sorted &= before.is_none_or(|before| {
                before.is_plain
                    && member.is_plain
                    && in_byte_order(&self.tokens, before, &member).is_le()
            });
            self.pending.push(member);
        }
        string.length
    }

    /// Ends the member under way; says whether it is in an object, where a key comes next.
    fn end_member(&mut self) -> bool {
        let Some(&Container::Object { first, .. }) = self.open.last() else { return false };
        let end = self.tokens.len();
        if let Some(member) = self.pending.get_mut(first..).and_then(<[_]>::last_mut) {
            member.end = end;
        }
        true
    }

    fn end(&mut self, brace: u8) {
        self.end_member();
        let end = self.tokens.len();
        self.tokens.push(brace);
        let Some(Container::Object { object, first, is_sorted }) = self.open.pop() else { return };
        // The outermost object is always taken apart, because its members are asked for.
        if is_sorted && object > 0 {
            self.pending.truncate(first);
            if self.objects.len() == object + 1 {
                self.objects.pop();
            }
            return;
        }
        let tokens = &self.tokens;
        let members = self.pending.get_mut(first..).unwrap_or_default();
        if members.iter().all(|member| member.is_plain) {
            members.sort_by(|one, other| in_byte_order(tokens, one, other));
        } else {
            members.sort_by_cached_key(|member| {
                let key = key_of(tokens, member);
                (code_units(key), key)
            });
        }
        let from = self.sorted.len();
        // As one block: one by one they take longer than sorting them.
        self.sorted.extend_from_slice(members);
        self.pending.truncate(first);
        let next = self.objects.len();
        if let Some(object) = self.objects.get_mut(object) {
            object.tokens.end = end;
            object.members = from..self.sorted.len();
            object.next = next;
        }
    }

    /// Copies the tokens, the members of each object in the order of their keys.
    fn in_key_order(&self, copy: &mut Canonical) {
        let is_object = self.tokens.first() == Some(&b'{');
        let mut part = Part { tokens: 0..self.tokens.len(), object: 0 };
        let mut entered: Vec<Entered> = Vec::new();
        loop {
            if let Some(object) = self.unsorted_object_in(&part) {
                let rest = Part { tokens: object.tokens.end..part.tokens.end, object: object.next };
                copy.bytes.extend_from_slice(self.text(part.tokens.start..object.tokens.start + 1));
                entered.push(Entered { members: object.members.clone(), is_first: true, rest });
            } else {
                copy.bytes.extend_from_slice(self.text(part.tokens));
            }
            let is_outermost = is_object && entered.len() == 1;
            let Some(innermost) = entered.last_mut() else { return };
            if is_outermost {
                copy.end_member();
            }
            part = if let Some(index) = innermost.members.next() {
                let member = self.sorted[index];
                if !std::mem::replace(&mut innermost.is_first, false) {
                    copy.bytes.push(b',');
                }
                if is_outermost {
                    copy.start_member(member.key_end - member.start);
                }
                Part { tokens: member.start..member.end, object: member.object }
            } else {
                let rest = innermost.rest.clone();
                entered.pop();
                rest
            };
        }
    }

    /// The first object in `part` whose members have to be sorted.
    fn unsorted_object_in(&self, part: &Part) -> Option<&Object> {
        let objects = self.objects.get(part.object..)?.iter();
        objects
            .take_while(|object| object.tokens.start < part.tokens.end)
            .find(|object| !object.members.is_empty())
    }

    fn text(&self, tokens: Range<usize>) -> &[u8] {
        self.tokens.get(tokens).unwrap_or_default()
    }
}

/// Tokens that are to be copied.
#[derive(Debug, Clone)]
struct Part {
    tokens: Range<usize>,
    /// The first object in `objects` that does not start before it.
    object: usize,
}

/// An object whose members are being copied.
#[derive(Debug)]
struct Entered {
    /// Members that are left.
    members: Range<usize>,
    is_first: bool,
    /// The part behind the members.
    rest: Part,
}

impl Canonical {
    /// Notes that a member of the outermost object comes next, with a key of that length.
    fn start_member(&mut self, key_length: usize) {
        let key = self.bytes.len()..self.bytes.len() + key_length;
        let value = key.end + 1..key.end + 1;
        self.members.push(TopMember { key, value });
    }

    /// Notes that the last of these members is complete.
    fn end_member(&mut self) {
        let end = self.bytes.len();
        if let Some(member) = self.members.last_mut() {
            member.value.end = end;
        }
    }
}

/// Order of two keys by their bytes.
fn in_byte_order(tokens: &[u8], one: &Member, other: &Member) -> Ordering {
    one.prefix.cmp(&other.prefix).then_with(|| key_of(tokens, one).cmp(key_of(tokens, other)))
}

/// The key without its quotes.
fn key_of<'tokens>(tokens: &'tokens [u8], member: &Member) -> &'tokens [u8] {
    tokens.get(member.start + 1..member.key_end - 1).unwrap_or_default()
}
