//! Time stamps of RFC 3161: what is asked of a service, and whether its answer is one to that.
//!
//! The signature of an answer is not looked at here: whoever relies on it has to choose whom to
//! trust. `openssl ts -verify -data CHECKPOINT -in FILE.tsr -CAfile ROOTS` does it.

use super::Broken;
use aws_lc_rs::digest::{SHA256, digest};

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// Explicit tag 0.
const WRAPPED: u8 = 0xa0;

/// Version 1, then the imprint up to its 32 bytes: SHA-256 without parameters.
const QUERY_START: [u8; 24] = [
    SEQUENCE,
    0x43,
    INTEGER,
    1,
    1,
    SEQUENCE,
    0x31,
    SEQUENCE,
    0x0d,
    OBJECT_IDENTIFIER,
    9,
    0x60,
    0x86,
    0x48,
    1,
    0x65,
    3,
    4,
    2,
    1,
    0x05,
    0,
    OCTET_STRING,
    0x20,
];
/// Asks for the certificate that the answer is signed with.
const QUERY_END: [u8; 3] = [0x01, 1, 0xff];
/// The kind of content that is a time stamp, 1.2.840.113549.1.9.16.1.4.
const TIME_STAMP_INFO: [u8; 11] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 1, 4];

/// Request to a service: no more than a hash leaves this machine.
#[derive(Debug)]
pub struct StampQuery {
    imprint: Vec<u8>,
    nonce: [u8; 8],
}

impl StampQuery {
    /// Asks for a time stamp of `content`; nobody should be able to guess `random`.
    pub fn of(content: &[u8], random: [u8; 8]) -> Self {
        let mut nonce = random;
        // A positive number of exactly eight bytes.
        nonce[0] = nonce[0] & 0x3f | 0x40;
        Self { imprint: digest(&SHA256, content).as_ref().to_owned(), nonce }
    }

    /// The question as it is sent.
    pub fn to_der(&self) -> Vec<u8> {
        [&QUERY_START, self.imprint.as_slice(), &[INTEGER, 8], &self.nonce, &QUERY_END].concat()
    }

    /// Checks that `answer` grants a time stamp for this question and no other.
    pub fn check(&self, answer: &[u8]) -> Result<(), Broken> {
        let mut response = enter_first(answer).ok_or_else(unreadable)?;
        let status = response.enter(SEQUENCE).and_then(|mut status| status.content(INTEGER));
        if !matches!(status.ok_or_else(unreadable)?, [0 | 1]) {
            return Err(Broken::new("the time-stamp service refused"));
        }
        let stamp = Stamp::read(response).ok_or_else(unreadable)?;
        if stamp.imprint != self.imprint {
            return Err(Broken::new("the time stamp is of another checkpoint"));
        }
        if stamp.nonce != self.nonce {
            return Err(Broken::new("the time stamp was made for another question"));
        }
        Ok(())
    }
}

fn unreadable() -> Broken {
    Broken::new("the answer of the time-stamp service is none of RFC 3161")
}

/// Contents of an answer.
struct Stamp<'der> {
    imprint: &'der [u8],
    nonce: &'der [u8],
}

impl<'der> Stamp<'der> {
    /// Reads what follows the status of an answer.
    fn read(mut response: Elements<'der>) -> Option<Self> {
        let mut content = response.enter(SEQUENCE)?;
        content.content(OBJECT_IDENTIFIER)?;
        let mut signed = content.enter(WRAPPED)?.enter(SEQUENCE)?;
        signed.content(INTEGER)?;
        signed.content(SET)?;
        let mut encapsulated = signed.enter(SEQUENCE)?;
        encapsulated.content(OBJECT_IDENTIFIER).filter(|kind| *kind == TIME_STAMP_INFO)?;
        let mut info = enter_first(encapsulated.enter(WRAPPED)?.content(OCTET_STRING)?)?;
        info.content(INTEGER)?;
        info.content(OBJECT_IDENTIFIER)?;
        let mut hashed = info.enter(SEQUENCE)?;
        hashed.content(SEQUENCE)?;
        let imprint = hashed.content(OCTET_STRING)?;
        info.content(INTEGER)?;
        info.content(GENERALIZED_TIME)?;
        // Accuracy and order may come before the nonce.
        let nonce = info.find(|(tag, _)| *tag == INTEGER)?.1;
        Some(Self { imprint, nonce })
    }
}

/// Elements of DER, one after the other, each as its tag and its content.
struct Elements<'der>(&'der [u8]);

fn enter_first(der: &[u8]) -> Option<Elements<'_>> {
    Elements(der).enter(SEQUENCE)
}

impl<'der> Elements<'der> {
    /// Content of the next element, which must have that tag.
    fn content(&mut self, tag: u8) -> Option<&'der [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    /// Elements inside the next one, which must have that tag.
    fn enter(&mut self, tag: u8) -> Option<Self> {
        self.content(tag).map(Self)
    }
}

impl<'der> Iterator for Elements<'der> {
    type Item = (u8, &'der [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let count = usize::from(first.saturating_sub(0x80));
        let (long, rest) = rest.split_at_checked(count).filter(|_| count <= 3)?;
        let of_more = long.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let length = if first < 0x80 { usize::from(first) } else { of_more };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answer of OpenSSL 3.0 to the question below, with a certificate made for that.
    const ANSWER: &[u8] = include_bytes!("time_stamp/answer.tsr");
    const CONTENT: &[u8] = b"a checkpoint\n";
    const RANDOM: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

    #[test]
    fn an_answer_of_another_program_fits_the_question_that_it_was_given() {
        let query = StampQuery::of(CONTENT, RANDOM);
        assert_eq!(query.to_der().len(), 69);
        assert_eq!(query.check(ANSWER), Ok(()));
    }

    #[test]
    fn an_answer_to_another_question_is_refused() {
        let check = |query: &StampQuery, answer: &[u8], part: &str| {
            let refused = query.check(answer).unwrap_err();
            assert!(refused.0.contains(part), "{refused}");
        };
        check(&StampQuery::of(b"other", RANDOM), ANSWER, "another checkpoint");
        check(&StampQuery::of(CONTENT, [9; 8]), ANSWER, "another question");
        let query = StampQuery::of(CONTENT, RANDOM);
        check(&query, &[SEQUENCE, 5, SEQUENCE, 3, INTEGER, 1, 2], "refused");
        check(&query, b"<html>", "none of RFC 3161");
        for end in 0..ANSWER.len() {
            assert!(query.check(&ANSWER[..end]).is_err(), "{end}");
        }
    }
}
