//! The credential in SSM Parameter Store, and the tokens of the function's own role.

use crate::config::{Config, CredentialKind, EvidenceKind};
use crate::error::Error;
use crate::evidence::checkpoint::TreeHead;
use crate::evidence::signer::{Signer, SigningKey};
use crate::graph::credential::{Application, Certificate, Credential, Federation};
use crate::graph::kept_in::KeptIn;
use crate::log::Log;
use crate::shown::is_plain;
use aws_sdk_ssm::error::ProvideErrorMetadata as _;
use aws_sdk_ssm::types::ParameterType;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

const KEPT_IN: KeptIn = KeptIn::Parameters;

/// The audiences of federated credentials in Microsoft's clouds; the template allows the functions' roles exactly these.
pub const AUDIENCES: [&str; 3] =
    ["api://AzureADTokenExchange", "api://AzureADTokenExchangeUSGov", "api://AzureADTokenExchangeChina"];

/// The clients of the AWS services that hold or prove who the function is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Systems Manager.
    pub ssm: aws_sdk_ssm::Client,
    /// Security Token Service, at its regional endpoint: the global one knows no `GetWebIdentityToken`.
    pub sts: aws_sdk_sts::Client,
}

impl Identity {
    /// Reads the parameters below `PARAMETER_PREFIX`, one by one.
    pub async fn application(&self, config: &Config) -> Result<Application, Error> {
        let parameter = |name: &'static str| self.parameter(&config.parameter_prefix, name);
        let tenant_id = parameter("tenant-id").await?.expose_secret().to_owned();
        KEPT_IN.check_tenant_id(&tenant_id)?;
        let client_id = parameter("client-id").await?.expose_secret().to_owned();
        KEPT_IN.check_client_id(&client_id)?;
        let credential = match config.credential {
            CredentialKind::Secret => {
                Credential::Secret(KEPT_IN.check_secret(parameter("client-secret").await?)?)
            }
            CredentialKind::Certificate => {
                let text = parameter("client-certificate").await?;
                Credential::Certificate(Box::new(Certificate::from_pem(text.expose_secret(), KEPT_IN)?))
            }
            CredentialKind::Federated => Credential::Federated(self.federation(&config.run.graph.login_url)),
        };
        Ok(Application { tenant_id, client_id, credential, kept_in: KEPT_IN })
    }

    /// Signer of the evidence; `None` where none is configured.
    pub async fn signer(&self, config: &Config) -> Option<Result<Signer, Error>> {
        match config.evidence {
            EvidenceKind::None => None,
            EvidenceKind::Parameter => Some(self.signer_in_parameters(&config.parameter_prefix).await),
        }
    }

    async fn signer_in_parameters(&self, prefix: &str) -> Result<Signer, Error> {
        let id = self.parameter(prefix, "evidence-id").await?.expose_secret().to_owned();
        let key = self.parameter(prefix, "evidence-key").await?;
        let keys =
            SigningKey::all_in(key.expose_secret(), &format!("the SSM parameter {prefix}/evidence-key"))?;
        let memory = EvidenceParameters { ssm: self.ssm.clone(), prefix: prefix.to_owned() };
        Signer::of_function(id, keys, memory)
    }

    async fn parameter(&self, prefix: &str, name: &str) -> Result<SecretString, Error> {
        let path = format!("{prefix}/{name}");
        let answer = self.ssm.get_parameter().name(&path).with_decryption(true).send().await;
        let answer = answer.map_err(|error| {
            let code = error.code().filter(|code| is_plain(code)).unwrap_or("no answer");
            let advice = match code {
                "ParameterNotFound" => {
                    "it does not exist: store it as SecureString, or check PARAMETER_PREFIX"
                }
                "AccessDeniedException" => {
                    "the function's role may not read it or may not decrypt with its key"
                }
                _ => "check region, network and the KMS key",
            };
            Error::Parameters(format!("the SSM parameter {path} could not be read ({code}): {advice}"))
        })?;
        let value = answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default();
        if value.trim().is_empty() {
            return Err(Error::Parameters(format!("the SSM parameter {path} is empty")));
        }
        Ok(SecretString::from(value.trim()))
    }

    /// Tokens of this function's role, made out to Entra.
    fn federation(&self, login_url: &Url) -> Federation {
        let sts = self.sts.clone();
        let audience = audience(login_url);
        Federation(Box::new(move || {
            let request = sts.get_web_identity_token().audience(audience).signing_algorithm("RS256");
            Box::pin(async move {
                let answer = request.duration_seconds(300).send().await.map_err(|error| {
                    let code = error.code().filter(|code| is_plain(code)).unwrap_or("no answer");
                    Error::Credentials(format!(
                        "AWS STS gave no token for the function's role ({code}): {}",
                        advice(code)
                    ))
                })?;
                let token = answer.web_identity_token.unwrap_or_default();
                Ok(SecretString::from(token))
            })
        }))
    }
}

/// Memory of what was signed last, in the parameters `evidence-signed-<log>`. Whoever can write the bucket alone cannot
/// change it.
#[derive(Debug, Clone)]
pub struct EvidenceParameters {
    ssm: aws_sdk_ssm::Client,
    prefix: String,
}

impl EvidenceParameters {
    /// Size and root that were signed last.
    pub(crate) async fn recall(&self, log: Log) -> Result<Option<TreeHead>, Error> {
        let path = self.path(log);
        let answer = match self.ssm.get_parameter().name(&path).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ParameterNotFound") => return Ok(None),
            Err(error) => return Err(not_usable(&path, "read", error.code())),
        };
        let value = answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default();
        TreeHead::from_lines(&value).map(Some).ok_or_else(|| {
            Error::Parameters(format!("the SSM parameter {path} is damaged: it holds no size and root"))
        })
    }

    /// Remembers `tree`, unless more is remembered. Of two runs that write at once the later one wins; what it
    /// writes was signed as well, and the log is checked to extend it.
    pub(crate) async fn remember(&self, log: Log, tree: TreeHead) -> Result<(), Error> {
        if self.recall(log).await?.is_some_and(|known| known.size > tree.size) {
            return Ok(());
        }
        let path = self.path(log);
        let request = self.ssm.put_parameter().name(&path).value(tree.to_lines()).overwrite(true);
        let put = request.r#type(ParameterType::String).send().await;
        put.map(drop).map_err(|error| not_usable(&path, "written", error.code()))
    }

    fn path(&self, log: Log) -> String {
        format!("{}/evidence-signed-{}", self.prefix, log.name())
    }
}

fn not_usable(path: &str, verb: &str, code: Option<&str>) -> Error {
    let code = code.filter(|code| is_plain(code)).unwrap_or("no answer");
    Error::Parameters(format!(
        "the SSM parameter {path} could not be {verb} ({code}): check the role of the function and the network"
    ))
}

fn advice(sts_code: &str) -> &'static str {
    match sts_code {
        "OutboundWebIdentityFederationDisabledException" | "OutboundWebIdentityFederationDisabled" => {
            "outbound federation is off in this account: run `aws iam enable-outbound-web-identity-federation`"
        }
        "AccessDenied" | "AccessDeniedException" => "the role may not call sts:GetWebIdentityToken",
        _ => "check that the STS endpoint is the regional one",
    }
}

/// The audience that a federated credential of that cloud expects; those of the national clouds are named by
/// Microsoft's client libraries, not by its documentation.
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
        let check = |url: &str, expected: &str| assert_eq!(audience(&Url::parse(url).unwrap()), expected);
        check("https://login.microsoftonline.com", "api://AzureADTokenExchange");
        check("https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov");
        check("https://login.chinacloudapi.cn", "api://AzureADTokenExchangeChina");
    }
}
