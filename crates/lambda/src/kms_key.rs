//! A key in AWS KMS, which signs there and never leaves it.

use crate::error_code::shown_code;
use aws_sdk_kms::Client;
use aws_sdk_kms::error::ProvideErrorMetadata as _;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};
use entratrail::error::Error;
use entratrail::evidence::signer::SigningKey;
use futures_util::future::BoxFuture;

/// Bytes before the 32 of an Ed25519 key in the form in which KMS gives public keys (RFC 8410, SPKI
/// in DER).
const SPKI_START: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Key of spec `ECC_NIST_EDWARDS25519`.
#[derive(Debug)]
pub struct KmsKey {
    kms: Client,
    arn: String,
    public: Vec<u8>,
}

impl KmsKey {
    /// Looks up the public part of the key `arn`.
    pub async fn open(kms: Client, arn: &str) -> Result<Self, Error> {
        let answer = kms.get_public_key().key_id(arn).send().await;
        let answer =
            answer.map_err(|error| not_usable(arn, "give its public part", error.code()))?;
        let encoded = answer.public_key.map(Blob::into_inner).unwrap_or_default();
        let public = encoded.strip_prefix(&SPKI_START).filter(|public| public.len() == 32);
        let public = public.ok_or_else(|| {
            Error::parameters(format!("the KMS key {arn} is not of spec ECC_NIST_EDWARDS25519"))
                .with_remedy("name one that is with EVIDENCE_KMS_KEY")
        })?;
        Ok(Self { public: public.to_owned(), arn: arn.to_owned(), kms })
    }

    /// Signs up to 4,096 bytes. `ED25519_SHA_512` goes with the message itself alone, never with a
    /// digest of it: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html>.
    async fn sign_there(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        let request = self.kms.sign().key_id(&self.arn).message(Blob::new(text));
        let request = request.message_type(MessageType::Raw);
        let answer = request.signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512).send().await;
        let answer = answer.map_err(|error| not_usable(&self.arn, "sign", error.code()))?;
        Ok(answer.signature.map(Blob::into_inner).unwrap_or_default())
    }
}

impl SigningKey for KmsKey {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn sign<'sign>(&'sign self, text: &'sign [u8]) -> BoxFuture<'sign, Result<Vec<u8>, Error>> {
        Box::pin(self.sign_there(text))
    }
}

fn not_usable(arn: &str, what: &str, code: Option<&str>) -> Error {
    let code = shown_code(code);
    Error::parameters(format!("the KMS key {arn} did not {what} ({code})"))
        .with_remedy("check that it is enabled, and that its policy allows the function's role")
}
