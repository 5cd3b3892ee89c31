//! A time-stamp service in the form of RFC 3161, without a signature.

use crate::stand::Stand;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answer of a time stamp service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// As it was asked.
    Sound,
    /// With the stamp of something else.
    OfSomethingElse,
    /// Not at all.
    Down,
}

/// A running service.
#[derive(Debug)]
pub struct TimeStamps {
    stand: Stand,
    asked: Arc<AtomicUsize>,
}

impl TimeStamps {
    /// Starts a service on this machine.
    pub async fn start(service: Service) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let stand = Stand::start(move |request| {
            counted.fetch_add(1, Ordering::Relaxed);
            answer(service, &request)
        });
        Self { stand: stand.await, asked }
    }

    /// Address of the service.
    pub fn url(&self) -> &str {
        &self.stand.url
    }

    /// Number of questions so far.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn answer(service: Service, request: &Request<Bytes>) -> Response<Full<Bytes>> {
    let is_query = request
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind == "application/timestamp-query");
    let query = request.body();
    if service == Service::Down || !is_query || query.len() != 69 {
        let mut refused = Response::new(Full::new(Bytes::from_static(b"<html>")));
        *refused.status_mut() = hyper::StatusCode::SERVICE_UNAVAILABLE;
        return refused;
    }
    // Where question and stamp name the hash and the number: fields of a fixed length.
    let mut imprint = query[5..56].to_vec();
    if service == Service::OfSomethingElse {
        imprint[40] ^= 1;
    }
    let nonce = &query[56..66];
    let policy = &[6, 2, 0x2a, 3];
    let info =
        [&[2, 1, 1], &policy[..], &imprint, &[2, 1, 7], &element(0x18, b"20261127211618Z"), nonce]
            .concat();
    let info = element(4, &element(0x30, &info));
    let kind = &[6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 1, 4];
    let content = element(0x30, &[&kind[..], &element(0xa0, &info)].concat());
    let signed = element(0x30, &[&[2, 1, 3, 0x31, 0][..], &content].concat());
    let signed_data = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    let token = element(0x30, &[&signed_data[..], &element(0xa0, &signed)].concat());
    let granted = [&[0x30, 3, 2, 1, 0][..], &token].concat();
    Response::new(Full::new(Bytes::from(element(0x30, &granted))))
}

/// Element of DER.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [head.as_slice(), content].concat()
}
