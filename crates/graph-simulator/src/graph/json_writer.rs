//! Another writer of JSON: the same content by JSON's meaning, in other bytes.

/// A value, cut out of the text that holds it.
enum Node<'a> {
    Object(Vec<(&'a [u8], Node<'a>)>),
    Array(Vec<Node<'a>>),
    /// With its quotes.
    Text(&'a [u8]),
    Number(&'a [u8]),
    Word(&'a [u8]),
}

/// Appends the other writer's form of a JSON text. What is no JSON is appended as it is.
pub(crate) fn rewrite(out: &mut Vec<u8>, json: &[u8]) {
    let mut reader = Reader { json, at: 0 };
    match reader.node() {
        Some(node) if reader.peek().is_none() => write(out, &node),
        _ => out.extend_from_slice(json),
    }
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while self.json.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.json.get(self.at).copied()
    }

    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn node(&mut self) -> Option<Node<'a>> {
        match self.peek()? {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => Some(Node::Text(self.text()?)),
            first => {
                let start = self.at;
                let rest = &self.json[start..];
                self.at +=
                    rest.iter().position(|byte| b",]} \t\r\n".contains(byte)).unwrap_or(rest.len());
                let token = &self.json[start..self.at];
                let is_number = first == b'-' || first.is_ascii_digit();
                Some(if is_number { Node::Number(token) } else { Node::Word(token) })
            }
        }
    }

    fn object(&mut self) -> Option<Node<'a>> {
        let mut members = Vec::new();
        self.at += 1;
        if self.takes(b'}') {
            return Some(Node::Object(members));
        }
        loop {
            self.peek().filter(|byte| *byte == b'"')?;
            let name = self.text()?;
            self.takes(b':').then_some(())?;
            members.push((name, self.node()?));
            if !self.takes(b',') {
                return self.takes(b'}').then_some(Node::Object(members));
            }
        }
    }

    fn array(&mut self) -> Option<Node<'a>> {
        let mut items = Vec::new();
        self.at += 1;
        if self.takes(b']') {
            return Some(Node::Array(items));
        }
        loop {
            items.push(self.node()?);
            if !self.takes(b',') {
                return self.takes(b']').then_some(Node::Array(items));
            }
        }
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        let mut at = start + 1;
        while *self.json.get(at)? != b'"' {
            at += if self.json[at] == b'\\' { 2 } else { 1 };
        }
        self.at = at + 1;
        Some(&self.json[start..self.at])
    }
}

fn write(out: &mut Vec<u8>, node: &Node<'_>) {
    match node {
        Node::Object(members) => {
            // A stable sort: a member that comes twice keeps its order.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| std::cmp::Reverse(*name));
            out.push(b'{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                out.extend_from_slice(if index > 0 { b",\r\n  " } else { b"\r\n  " });
                write_text(out, name);
                out.extend_from_slice(b" : ");
                write(out, value);
            }
            out.extend_from_slice(b" }");
        }
        Node::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index > 0 { b", " } else { b" " });
                write(out, item);
            }
            out.push(b']');
        }
        Node::Text(text) => write_text(out, text),
        Node::Number(number) => write_number(out, number),
        Node::Word(word) => out.extend_from_slice(word),
    }
}

/// Escapes what may be literal, and writes literally what must not be escaped: `/`, and all beyond
/// ASCII.
fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return out.extend_from_slice(text) };
    let mut characters = text.chars();
    let mut units = [0; 2];
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let escaped = characters.next().unwrap_or('\\');
                if escaped == '/' {
                    out.push(b'/');
                } else {
                    out.extend_from_slice(&[b'\\', u8::try_from(escaped).unwrap_or(b'\\')]);
                }
            }
            '/' => out.extend_from_slice(b"\\/"),
            character if character.is_ascii() => out.push(character as u8),
            character => {
                for unit in character.encode_utf16(&mut units) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
        }
    }
}

/// `47` as `4.7e1`, `4700` as `4.7e3`, `5` and `0` as `5.0` and `0.0`, `47.0` as `47`; other forms
/// stay.
fn write_number(out: &mut Vec<u8>, number: &[u8]) {
    let (sign, digits) = match number.strip_prefix(b"-") {
        Some(digits) => (&b"-"[..], digits),
        None => (&b""[..], number),
    };
    if digits.iter().any(|digit| !digit.is_ascii_digit()) {
        return out.extend_from_slice(number.strip_suffix(b".0").unwrap_or(number));
    }
    out.extend_from_slice(sign);
    let significant = digits.iter().rposition(|digit| *digit != b'0').map_or(1, |last| last + 1);
    if digits.len() == 1 {
        out.push(digits[0]);
        out.extend_from_slice(b".0");
    } else {
        out.extend_from_slice(&[digits[0], b'.']);
        let fraction = &digits[1..significant];
        out.extend_from_slice(if fraction.is_empty() { b"0" } else { fraction });
        out.extend_from_slice(format!("e{}", digits.len() - 1).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(json: &str) -> String {
        let mut out = Vec::new();
        rewrite(&mut out, json.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn content_stays_and_bytes_change() {
        for json in [
            r#"{"a":47,"b":"caf\u00e9 é 😀 \/ / \" \\ \n","c":[1,-20,100,0,1.5,true,null],"d":{},"e":[]}"#,
            r#"{"z":{"y":[{"x":-7},{"w":""}]},"id":"0"}"#,
        ] {
            let other = rewritten(json);
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            let whole = |value: &serde_json::Value| {
                value
                    .as_f64()
                    .filter(|number| number.fract() == 0.0)
                    .map_or_else(|| value.clone(), |number| serde_json::json!(format!("{number}")))
            };
            let before = value(json);
            let after = value(&other);
            for pointer in
                ["/a", "/b", "/c/0", "/c/1", "/c/2", "/c/3", "/c/4", "/c/5", "/z/y/0/x", "/id"]
            {
                assert_eq!(
                    before.pointer(pointer).map(whole),
                    after.pointer(pointer).map(whole),
                    "{pointer}"
                );
            }
            assert_ne!(json, other);
            assert_eq!(before.as_object().unwrap().len(), after.as_object().unwrap().len());
        }
    }

    #[test]
    fn numbers_escapes_and_members_take_another_form() {
        for (json, other) in [
            ("47", "4.7e1"),
            ("4700", "4.7e3"),
            ("-100", "-1.0e2"),
            ("0", "0.0"),
            ("47.0", "47"),
            ("1.25", "1.25"),
            ("4.7e1", "4.7e1"),
            (r#""é/\/😀""#, r#""\u00e9\//\ud83d\ude00""#),
            (r#"{"a":1,"b":2,"a":3}"#, "{\r\n  \"b\" : 2.0,\r\n  \"a\" : 1.0,\r\n  \"a\" : 3.0 }"),
        ] {
            assert_eq!(rewritten(json), other);
        }
    }

    #[test]
    fn what_is_no_json_stays() {
        for text in ["{\"a\":", "[1,", "{1:2}", "\"x"] {
            assert_eq!(rewritten(text), text);
        }
    }
}
