//! Who asks: from the environment, from a person at the terminal, from a certificate file, or a
//! person who signs in.

use super::arguments::CredentialArguments;
use crate::terminal::output::print_status;
use console::Term;
use entratrail::entra::certificate::Certificate;
use entratrail::entra::credential::{Application, Credential, DeviceCode, DeviceCodePrompt};
use entratrail::entra::credential_source::CredentialSource;
use entratrail::error::Error;
use entratrail::named_file;
use secrecy::SecretString;
use std::io::IsTerminal as _;
use std::path::Path;

const KEPT_IN: CredentialSource = CredentialSource::Environment;

/// Microsoft Graph Command Line Tools: Microsoft's own public client for people at a terminal.
const COMMAND_LINE_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

/// The tenant of whoever signs in.
const OWN_TENANT: &str = "organizations";

/// The application that `arguments` and the environment describe.
pub(crate) fn application(arguments: &CredentialArguments) -> Result<Application, Error> {
    if arguments.sign_in {
        return signed_in(arguments);
    }
    let tenant_id = given(arguments.tenant_id.as_ref(), "TENANT_ID", "Directory (tenant) id")?;
    KEPT_IN.check_tenant_id(&tenant_id)?;
    let client_id = given(arguments.client_id.as_ref(), "CLIENT_ID", "Application (client) id")?;
    KEPT_IN.check_client_id(&client_id)?;
    let credential = match &arguments.certificate {
        Some(file) => Credential::Certificate(Box::new(certificate(file)?)),
        None => Credential::Secret(KEPT_IN.check_secret(secret()?)?),
    };
    Ok(Application { tenant_id, client_id, credential, source: KEPT_IN })
}

fn signed_in(arguments: &CredentialArguments) -> Result<Application, Error> {
    let tenant_id = arguments.tenant_id.clone().or_else(|| variable("TENANT_ID"));
    if let Some(tenant_id) = &tenant_id {
        KEPT_IN.check_tenant_id(tenant_id)?;
    }
    // A client id in the environment belongs to an app registration with a secret, which people
    // cannot sign in to.
    let client_id = arguments.client_id.clone().unwrap_or_else(|| COMMAND_LINE_TOOLS.to_owned());
    KEPT_IN.check_client_id(&client_id)?;
    Ok(Application {
        tenant_id: tenant_id.unwrap_or_else(|| OWN_TENANT.to_owned()),
        client_id,
        credential: Credential::DeviceCode(DeviceCode(Box::new(invite))),
        source: KEPT_IN,
    })
}

fn invite(prompt: &DeviceCodePrompt) {
    let DeviceCodePrompt { page, code, minutes } = prompt;
    print_status(&format!(
        "To sign in, open {page} and enter the code {code}. It is good for {minutes} minutes."
    ));
}

/// A part that is no secret: from the command line, the environment, or the person at the terminal.
fn given(argument: Option<&String>, part: &str, question: &str) -> Result<String, Error> {
    match argument.cloned().or_else(|| variable(part)) {
        Some(value) => Ok(value),
        None => ask(part, question, Term::read_line),
    }
}

fn secret() -> Result<SecretString, Error> {
    match variable("CLIENT_SECRET") {
        Some(value) => Ok(value.into()),
        None => ask("CLIENT_SECRET", "Client secret (it is not shown)", Term::read_secure_line)
            .map(SecretString::from),
    }
}

/// Value of the variable `ENTRATRAIL_` or, as for Microsoft's own tools, `AZURE_` and `part`.
fn variable(part: &str) -> Option<String> {
    ["ENTRATRAIL", "AZURE"]
        .into_iter()
        .filter_map(|prefix| std::env::var(format!("{prefix}_{part}")).ok())
        .map(|value| value.trim().to_owned())
        .find(|value| !value.is_empty())
}

fn ask(
    part: &str,
    question: &str,
    read: impl FnOnce(&Term) -> std::io::Result<String>,
) -> Result<String, Error> {
    let missing = Error::configuration("the credential is incomplete").with_remedy(format!(
        "set ENTRATRAIL_{part}, or start this on a terminal to be asked; --sign-in needs no app \
         registration"
    ));
    let terminal = Term::stderr();
    if !terminal.is_term() || !std::io::stdin().is_terminal() {
        return Err(missing);
    }
    let answered = terminal.write_str(&format!("{question}: ")).and_then(|()| read(&terminal));
    let answer = answered.unwrap_or_default().trim().to_owned();
    if answer.is_empty() { Err(missing) } else { Ok(answer) }
}

fn certificate(file: &Path) -> Result<Certificate, Error> {
    let text = named_file::read_text(file).map_err(|error| {
        let file = file.display();
        Error::configuration(format!("the certificate file {file} could not be read ({error})"))
            .with_source(error)
    })?;
    Certificate::from_pem(&text, KEPT_IN)
}
