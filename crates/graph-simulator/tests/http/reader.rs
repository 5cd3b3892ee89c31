//! A plain reader of the simulator.

use std::io::{Read as _, Write as _};

use graph_simulator::{Scenario, Simulator};
use serde_json::Value;

const NOW: &str = "2026-11-23T01:15:00Z";
pub(crate) const UNLIMITED: &str = "[limits]\nrequests_per_10s = 0\n";
pub(crate) const DAY: &str =
    "createdDateTime ge 2026-11-22T00:00:00Z and createdDateTime le 2026-11-23T00:00:00Z";

/// A reader with a token.
pub(crate) struct Reader {
    pub(crate) simulator: Simulator,
    client: reqwest::Client,
    pub(crate) token: String,
}

/// A whole answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Reader {
    pub(crate) async fn of(scenario: &str) -> Self {
        Self::with_keys("", scenario).await
    }

    /// A reader of a scenario with keys outside of its tables.
    pub(crate) async fn with_keys(keys: &str, scenario: &str) -> Self {
        let text = format!("name = 'test'\n{keys}[clock]\nnow = '{NOW}'\nspeed = 0\n{scenario}");
        let simulator = Simulator::start(Scenario::from_toml(&text).unwrap()).await.unwrap();
        let mut reader = Self { simulator, client: reqwest::Client::new(), token: String::new() };
        reader.renew().await;
        reader
    }

    pub(crate) async fn renew(&mut self) {
        let reply = self.ask_token(&[]).await;
        reply.body["access_token"].as_str().unwrap_or_default().clone_into(&mut self.token);
    }

    pub(crate) async fn ask_token(&self, changes: &[(&str, &str)]) -> Reply {
        let tenant = &self.simulator.scenario().tenant;
        let scope = format!("{}/.default", self.simulator.url());
        let mut fields = vec![
            ("grant_type", "client_credentials"),
            ("client_id", tenant.client_id.as_str()),
            ("client_secret", tenant.client_secret.as_str()),
            ("scope", scope.as_str()),
        ];
        let mut id = tenant.id.as_str();
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            match *name {
                "tenant" => id = value,
                name if !value.is_empty() => fields.push((name, value)),
                _ => {}
            }
        }
        let url = format!("{}/{id}/oauth2/v2.0/token", self.simulator.url());
        self.post(&url, &fields).await
    }

    pub(crate) async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Reply {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let body = form.extend_pairs(fields).finish();
        let request =
            self.client.post(url).header("content-type", "application/x-www-form-urlencoded");
        Reply::of(request.body(body).send().await.unwrap()).await.unwrap()
    }

    pub(crate) async fn try_get(&self, url: &str) -> Result<Reply, String> {
        let request =
            self.client.get(url).bearer_auth(&self.token).header("accept-encoding", "gzip");
        let request = request.header("prefer", "include-unknown-enum-members");
        Reply::of(request.send().await.map_err(|error| error.to_string())?).await
    }

    /// The body of an answer as it comes.
    pub(crate) async fn get_compressed(&self, path_and_query: &str) -> Vec<u8> {
        self.respond(path_and_query).await.bytes().await.unwrap().to_vec()
    }

    pub(crate) async fn get_headers(&self, path_and_query: &str) -> reqwest::header::HeaderMap {
        self.respond(path_and_query).await.headers().clone()
    }

    async fn respond(&self, path_and_query: &str) -> reqwest::Response {
        let url = format!("{}{path_and_query}", self.simulator.url());
        let request =
            self.client.get(url).bearer_auth(&self.token).header("accept-encoding", "gzip");
        request.header("prefer", "include-unknown-enum-members").send().await.unwrap()
    }

    pub(crate) async fn get(&self, path_and_query: &str) -> Reply {
        self.try_get(&format!("{}{path_and_query}", self.simulator.url())).await.unwrap()
    }

    pub(crate) async fn first(&self, collection: &str, filter: &str) -> Reply {
        self.get(&first_link(collection, filter)).await
    }

    /// Every record of a whole read, following next links.
    pub(crate) async fn read(&self, collection: &str, filter: &str) -> Vec<Value> {
        let mut reply = self.first(collection, filter).await;
        let mut records = Vec::new();
        loop {
            assert_eq!(reply.status, 200, "{}", reply.body);
            records.extend(reply.body["value"].as_array().unwrap().iter().cloned());
            let Some(next) = reply.body["@odata.nextLink"].as_str() else { return records };
            reply = self.try_get(next).await.unwrap();
        }
    }
}

pub(crate) fn first_link(collection: &str, filter: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let query = query.append_pair("$filter", filter).append_pair("$top", "50").finish();
    format!("/{collection}?{query}")
}

impl Reply {
    async fn of(response: reqwest::Response) -> Result<Self, String> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.map_err(|error| error.to_string())?;
        let mut text = Vec::new();
        if headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
            flate2::read::GzDecoder::new(bytes.as_ref())
                .read_to_end(&mut text)
                .map_err(|error| error.to_string())?;
        } else {
            text.extend_from_slice(&bytes);
        }
        let text = String::from_utf8(text).map_err(|error| error.to_string())?;
        let body = serde_json::from_str(&text).or_else(|error| {
            if status == 200 && text.starts_with('{') {
                Err(error.to_string())
            } else {
                Ok(Value::from(text))
            }
        })?;
        Ok(Self { status, headers, body })
    }

    pub(crate) fn error(&self) -> (u16, &str, &str) {
        let error = &self.body["error"];
        let word = |name: &str| error[name].as_str().unwrap_or_default();
        (self.status, word("code"), word("message"))
    }
}

/// Asks for a path byte for byte, which an HTTP client would not do; the answer as it comes.
pub(crate) async fn get_raw(reader: &Reader, path: &str) -> Vec<u8> {
    let address = reader.simulator.url().trim_start_matches("http://").to_owned();
    let token = &reader.token;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Prefer: include-unknown-enum-members\r\nConnection: close\r\n\r\n"
    );
    tokio::task::spawn_blocking(move || {
        let mut connection = std::net::TcpStream::connect(&address).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap_or_default();
        answer
    })
    .await
    .unwrap()
}
