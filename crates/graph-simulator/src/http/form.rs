//! The bodies of POST requests: forms, with the credentials of an HTTP Basic header merged in.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A form body, with the credentials of an `Authorization: Basic` header merged in.
#[derive(Debug)]
pub(crate) struct Form(HashMap<String, String>);

impl Form {
    pub(crate) fn new(body: &[u8], authorization: Option<&str>) -> Self {
        let mut fields: HashMap<String, String> =
            url::form_urlencoded::parse(body).into_owned().collect();
        if let Some((client_id, secret)) = authorization.and_then(basic) {
            fields.entry("client_id".to_owned()).or_insert(client_id);
            fields.entry("client_secret".to_owned()).or_insert(secret);
        }
        Self(fields)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// `Authorization: Basic`, whose parts are form-encoded before they are joined.
fn basic(authorization: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (client_id, secret) = text.split_once(':')?;
    Some((decode(client_id)?, decode(secret)?))
}

fn decode(part: &str) -> Option<String> {
    let line = format!("part={part}");
    url::form_urlencoded::parse(line.as_bytes()).next().map(|(_, value)| value.into_owned())
}
