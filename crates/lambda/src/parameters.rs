//! The credential in SSM Parameter Store, and the tokens of the function's own role.

use crate::error_code::shown_code;
use crate::kms_key::KmsKey;
use aws_sdk_ssm::error::ProvideErrorMetadata as _;
use aws_sdk_ssm::types::ParameterType;
use entratrail::config::{Config, CredentialKind, EvidenceKind};
use entratrail::entra::certificate::Certificate;
use entratrail::entra::credential::{Application, Credential, Federation};
use entratrail::entra::credential_source::CredentialSource;
use entratrail::error::Error;
use entratrail::evidence::checkpoint::TreeHead;
use entratrail::evidence::signer::{Memory, Signer, SigningKey, keys_in};
use entratrail::log::Log;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

const SOURCE: CredentialSource = CredentialSource::Parameters;

/// The audiences of federated credentials in Microsoft's clouds; the template allows the functions'
/// roles exactly these.
pub const AUDIENCES: [&str; 3] = [
    "api://AzureADTokenExchange",
    "api://AzureADTokenExchangeUSGov",
    "api://AzureADTokenExchangeChina",
];

/// The clients of the AWS services that hold or prove who the function is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Systems Manager.
    ssm: aws_sdk_ssm::Client,
    /// Security Token Service, at its regional endpoint: the global one knows no
    /// `GetWebIdentityToken`.
    sts: aws_sdk_sts::Client,
    /// Key Management Service, for the key that signs the evidence.
    kms: aws_sdk_kms::Client,
}

impl Identity {
    /// Clients with the region, the endpoints and the credentials of `aws`.
    pub fn new(aws: &aws_config::SdkConfig) -> Self {
        Self {
            ssm: aws_sdk_ssm::Client::new(aws),
            sts: aws_sdk_sts::Client::new(aws),
            kms: aws_sdk_kms::Client::new(aws),
        }
    }

    /// Reads the parameters below `PARAMETER_PREFIX`, one by one.
    pub async fn application(&self, config: &Config) -> Result<Application, Error> {
        let prefix = &config.parameter_prefix;
        let tenant_id = self.parameter(prefix, "tenant-id").await?.expose_secret().to_owned();
        SOURCE.check_tenant_id(&tenant_id)?;
        let client_id = self.parameter(prefix, "client-id").await?.expose_secret().to_owned();
        SOURCE.check_client_id(&client_id)?;
        let credential = match config.credential {
            CredentialKind::Secret => {
                let secret = self.parameter(prefix, "client-secret").await?;
                Credential::Secret(SOURCE.check_secret(secret)?)
            }
            CredentialKind::Certificate => {
                let text = self.parameter(prefix, "client-certificate").await?;
                Credential::Certificate(Box::new(Certificate::from_pem(
                    text.expose_secret(),
                    SOURCE,
                )?))
            }
            CredentialKind::Federated => {
                Credential::Federated(self.federation(&config.run.graph.login_url))
            }
        };
        Ok(Application { tenant_id, client_id, credential, source: SOURCE })
    }

    /// Signer of the evidence; `None` where none is configured.
    pub async fn signer(&self, config: &Config) -> Option<Result<Signer, Error>> {
        let prefix = &config.parameter_prefix;
        match &config.evidence {
            EvidenceKind::None => None,
            EvidenceKind::Parameter => {
                Some(self.signer_with(prefix, self.keys_in_parameter(prefix)).await)
            }
            EvidenceKind::Kms(arn) => Some(self.signer_with(prefix, self.key_in_kms(arn)).await),
        }
    }

    async fn signer_with(
        &self,
        prefix: &str,
        keys: impl Future<Output = Result<Vec<Box<dyn SigningKey>>, Error>>,
    ) -> Result<Signer, Error> {
        let id = self.parameter(prefix, "evidence-id").await?.expose_secret().to_owned();
        let memory = EvidenceParameters { ssm: self.ssm.clone(), prefix: prefix.to_owned() };
        Signer::new(&id, "the parameter evidence-id", keys.await?, Box::new(memory))
    }

    async fn keys_in_parameter(&self, prefix: &str) -> Result<Vec<Box<dyn SigningKey>>, Error> {
        let key = self.parameter(prefix, "evidence-key").await?;
        keys_in(key.expose_secret(), &format!("the SSM parameter {prefix}/evidence-key"))
    }

    async fn key_in_kms(&self, arn: &str) -> Result<Vec<Box<dyn SigningKey>>, Error> {
        let key = KmsKey::open(self.kms.clone(), arn).await?;
        Ok(vec![Box::new(key)])
    }

    async fn parameter(&self, prefix: &str, name: &str) -> Result<SecretString, Error> {
        let path = format!("{prefix}/{name}");
        let answer = self.ssm.get_parameter().name(&path).with_decryption(true).send().await;
        let answer = answer.map_err(|error| {
            let code = shown_code(error.code());
            let (cause, remedy) = match code {
                "ParameterNotFound" => {
                    (": it does not exist", "store it as SecureString, or check PARAMETER_PREFIX")
                }
                "AccessDeniedException" => (
                    ": the function's role may not read it, or not decrypt with its key",
                    "deploy again, and see that the key's policy allows the role kms:Decrypt",
                ),
                _ => ("", "check region, network and the KMS key"),
            };
            let tried = format!("the SSM parameter {path} could not be read ({code}){cause}");
            Error::parameters(tried).with_remedy(remedy)
        })?;
        let value = answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default();
        if value.trim().is_empty() {
            return Err(Error::parameters(format!("the SSM parameter {path} is empty"))
                .with_remedy("store its value as SecureString"));
        }
        Ok(SecretString::from(value.trim()))
    }

    /// Tokens of this function's role, made out to Entra.
    fn federation(&self, login_url: &Url) -> Federation {
        let sts = self.sts.clone();
        let audience = audience(login_url);
        Federation(Box::new(move || {
            let request =
                sts.get_web_identity_token().audience(audience).signing_algorithm("RS256");
            Box::pin(async move {
                let answer = request.duration_seconds(300).send().await;
                let answer =
                    answer.map_err(|error| no_federated_token(shown_code(error.code())))?;
                let token = answer.web_identity_token.unwrap_or_default();
                Ok(SecretString::from(token))
            })
        }))
    }
}

/// Memory of what was signed last, in the parameters `evidence-signed-<log>`. Whoever can write the
/// bucket alone cannot change it.
#[derive(Debug, Clone)]
pub struct EvidenceParameters {
    ssm: aws_sdk_ssm::Client,
    prefix: String,
}

impl Memory for EvidenceParameters {
    fn recall(&self, log: Log) -> BoxFuture<'_, Result<Option<TreeHead>, Error>> {
        Box::pin(async move { Ok(self.read(&self.path(log)).await?.map(|(tree, _)| tree)) })
    }

    fn remember(&self, log: Log, tree: TreeHead) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move { self.write_larger(&self.path(log), tree).await })
    }
}

impl EvidenceParameters {
    /// Writes `tree`, unless more is remembered.
    ///
    /// Parameter Store writes without a condition, but numbers what it writes. A number that was
    /// left out is another run's, written between our look and our write: the larger of both is
    /// written again, so that none is forgotten.
    async fn write_larger(&self, path: &str, tree: TreeHead) -> Result<(), Error> {
        let mut wanted = tree;
        loop {
            let known = self.read(path).await?;
            let (size, version) = known.map_or((0, 0), |(known, version)| (known.size, version));
            if size > wanted.size {
                return Ok(());
            }
            let written = self.write(path, wanted).await?;
            let mut largest = wanted;
            for between in version + 1..written {
                if let Some((other, _)) = self.read(&format!("{path}:{between}")).await?
                    && other.size > largest.size
                {
                    largest = other;
                }
            }
            if largest == wanted {
                return Ok(());
            }
            wanted = largest;
        }
    }

    /// Value of a parameter, with the number of that version; `path` may end in a colon and such a
    /// number.
    async fn read(&self, path: &str) -> Result<Option<(TreeHead, i64)>, Error> {
        let parameter = match self.ssm.get_parameter().name(path).send().await {
            Ok(answer) => answer.parameter,
            Err(error) if error.code() == Some("ParameterNotFound") => return Ok(None),
            Err(error) => return Err(not_usable(path, "read", error.code())),
        };
        let read = parameter.and_then(|parameter| {
            Some((TreeHead::from_lines(parameter.value()?)?, parameter.version()))
        });
        read.map(Some).ok_or_else(|| {
            Error::parameters(format!(
                "the SSM parameter {path} is damaged: it holds no size and root"
            ))
        })
    }

    /// Writes a parameter, and tells the number of what was written.
    async fn write(&self, path: &str, tree: TreeHead) -> Result<i64, Error> {
        let request = self.ssm.put_parameter().name(path).value(tree.to_lines()).overwrite(true);
        let answer = request.r#type(ParameterType::String).send().await;
        let answer = answer.map_err(|error| not_usable(path, "written", error.code()))?;
        Ok(answer.version)
    }

    fn path(&self, log: Log) -> String {
        format!("{}/evidence-signed-{}", self.prefix, log.name())
    }
}

fn not_usable(path: &str, verb: &str, code: Option<&str>) -> Error {
    let code = shown_code(code);
    Error::parameters(format!("the SSM parameter {path} could not be {verb} ({code})"))
        .with_remedy("check the role of the function and the network")
}

fn no_federated_token(code: &str) -> Error {
    let (cause, remedy) = match code {
        "OutboundWebIdentityFederationDisabledException"
        | "OutboundWebIdentityFederationDisabled" => (
            ": outbound federation is off in this account",
            "run `aws iam enable-outbound-web-identity-federation`",
        ),
        "AccessDenied" | "AccessDeniedException" => (
            "",
            "deploy again with Credential=federated, which allows the role \
             sts:GetWebIdentityToken, and see that no policy of the organization denies it",
        ),
        _ => ("", "check that the STS endpoint is the regional one"),
    };
    Error::credentials(format!("AWS STS gave no token for the function's role ({code}){cause}"))
        .with_remedy(remedy)
}

/// The audience that a federated credential of that cloud expects; those of the national clouds are
/// named by Microsoft's client libraries, not by its documentation.
fn audience(login_url: &Url) -> &'static str {
    let [global, us_government, china] = AUDIENCES;
    match login_url.host_str().and_then(|host| host.rsplit('.').next()) {
        Some("us") => us_government,
        Some("cn") => china,
        _ => global,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_its_audience() {
        let check =
            |url: &str, expected: &str| assert_eq!(audience(&Url::parse(url).unwrap()), expected);
        check("https://login.microsoftonline.com", "api://AzureADTokenExchange");
        check("https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov");
        check("https://login.chinacloudapi.cn", "api://AzureADTokenExchangeChina");
    }
}
