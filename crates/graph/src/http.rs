//! HTTP to one host, with request targets sent byte for byte.
//!
//! Graph's next links are opaque: a client that parses and writes them again changes their
//! encoding, and Graph may refuse what it gave itself. So links go to the wire as they are.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use entratrail_core::error::Error;
use http::Request;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::time::Duration;
use url::{Host, Url};

/// Longest time for a connection to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Name under which this program asks.
pub(crate) const USER_AGENT: &str = concat!("EntraTrail/", env!("CARGO_PKG_VERSION"));

type Direct = HttpsConnector<HttpConnector>;

/// A client for one host. It never follows a redirect, which could take the token to another host.
#[derive(Debug, Clone)]
pub enum HttpClient {
    /// Connects to the host itself.
    Direct(Box<Client<Direct, Full<Bytes>>>),
    /// Connects through the proxy that the environment names.
    Proxied(Box<Client<HttpsConnector<Tunnel<Direct>>, Full<Bytes>>>),
}

impl HttpClient {
    /// A client for the host of `url`. Plain http, which is for loopback hosts only, and loopback
    /// hosts themselves never go through a proxy: it would see the token.
    pub fn new(url: &Url) -> Result<Self, Error> {
        let intercepted =
            url.as_str().parse().ok().and_then(|uri| Matcher::from_env().intercept(&uri));
        let proxy = intercepted.filter(|_| url.scheme() == "https" && !is_loopback(url));
        let Some(proxy) = proxy else { return Ok(Self::Direct(Box::new(client(direct()?)))) };
        if !matches!(proxy.uri().scheme_str(), Some("http" | "https")) {
            return Err(Error::configuration(
                "the proxy that HTTPS_PROXY or ALL_PROXY names is neither http nor https; only \
                 these are supported",
            ));
        }
        let tunnel = Tunnel::new(proxy.uri().clone(), direct()?);
        let tunnel = match proxy.basic_auth() {
            Some(authorization) => tunnel.with_auth(authorization.clone()),
            None => tunnel,
        };
        Ok(Self::Proxied(Box::new(client(secure()?.wrap_connector(tunnel)))))
    }

    /// Sends `request`.
    pub fn send(&self, request: Request<Full<Bytes>>) -> ResponseFuture {
        match self {
            Self::Direct(client) => client.request(request),
            Self::Proxied(client) => client.request(request),
        }
    }
}

/// A date of an HTTP header.
pub(crate) fn http_date(header: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(header.trim()).ok().map(|date| date.to_utc())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn direct() -> Result<Direct, Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_keepalive(Some(Duration::from_secs(15)));
    Ok(secure()?.wrap_connector(tcp))
}

/// TLS with the roots of the platform.
fn secure() -> Result<HttpsConnectorBuilder<hyper_rustls::builderstates::WantsProtocols3>, Error> {
    let builder = HttpsConnectorBuilder::new().try_with_platform_verifier().map_err(|error| {
        Error::configuration("no TLS client could be made: the root certificates are unreadable")
            .with_source(error)
    })?;
    Ok(builder.https_or_http().enable_all_versions())
}

fn client<C>(connector: C) -> Client<C, Full<Bytes>>
where
    C: hyper_util::client::legacy::connect::Connect + Clone,
{
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector)
}
