//! Reads one day of sign-ins with `graph-rs-sdk` in its documented form, into a file of one record
//! a line.
//!
//! Usage: `graph-rs-sdk-reader DAY FILE`. The environment says where and as whom: `GRAPH_URL`,
//! `LOGIN_URL`, `TENANT_ID`, `CLIENT_ID`, `CLIENT_SECRET`. The exit status is 0 where the SDK
//! reported no error.

use futures_util::StreamExt as _;
use graph_rs_sdk::{GraphClient, GraphClientConfiguration, ODataQuery as _};
use serde_json::Value;
use std::env::{args, var};
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [day, file] =
        args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "usage: graph-rs-sdk-reader DAY FILE")?;
    read(&day, File::create(file)?).await
}

/// The README's streaming example, with the records written instead of printed.
async fn read(day: &str, file: File) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(file);
    let filter = format!("createdDateTime ge {day}T00:00:00Z and createdDateTime le \
                          {day}T23:59:59.9999999Z");
    let client = client().await?;
    let mut stream =
        client.audit_logs().list_sign_ins().filter(&[filter.as_str()]).paging().stream::<Value>()?;
    while let Some(result) = stream.next().await {
        let response = result?;
        let body = response.into_body().map_err(|error| format!("{error:?}"))?;
        for record in body["value"].as_array().into_iter().flatten() {
            serde_json::to_writer(&mut file, record)?;
            file.write_all(b"\n")?;
        }
    }
    Ok(file.flush()?)
}

/// The SDK's client with an access token, as in its first example, pointed at the simulator.
async fn client() -> Result<GraphClient, Box<dyn Error>> {
    let configuration = GraphClientConfiguration::new().access_token(access_token().await?).https_only(false);
    let mut client = GraphClient::from(configuration);
    client.use_test_endpoint(&format!("{}/v1.0", var("GRAPH_URL")?).parse()?);
    Ok(client)
}

/// Signs on by hand: the SDK's own credentials know Microsoft's four login hosts only. Its paging
/// asks for a token once, at the start, so nothing is lost by that.
async fn access_token() -> Result<String, Box<dyn Error>> {
    let url = format!("{}/{}/oauth2/v2.0/token", var("LOGIN_URL")?, var("TENANT_ID")?);
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", var("CLIENT_ID")?),
        ("client_secret", var("CLIENT_SECRET")?),
        ("scope", "https://graph.microsoft.com/.default".to_owned()),
    ];
    let answer = reqwest::Client::new().post(url).form(&form).send().await?.error_for_status()?;
    let token: Value = answer.json().await?;
    Ok(token["access_token"].as_str().ok_or("the answer to signing on holds no token")?.to_owned())
}
