//! What must never leave a function: the secret, access tokens, next links, records.

use graph_simulator::Faults;

use crate::events::event;
use crate::installation::{Installation, OFFICE, SIGN_IN_LOGS};

/// The simulator's access tokens and assertions are longer than any other word.
const LONGEST_WORD: usize = 150;

impl Installation {
    /// Panics where a function gave something away in `text`.
    pub(crate) fn assert_keeps_secrets(&self, text: &str) {
        let secret = self.tenant.scenario().tenant.client_secret.as_str();
        let lower_case = text.to_lowercase();
        for forbidden in
            [secret, "bearer ", "skiptoken", "/auditlogs/", "userprincipalname", "-----begin"]
        {
            assert!(
                !lower_case.contains(forbidden),
                "{forbidden} is in {}",
                around(&lower_case, forbidden)
            );
        }
        let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let words = text.split(|c| !is_of_token(c));
        let long: Vec<_> = words.filter(|word| word.len() > LONGEST_WORD).collect();
        assert!(long.is_empty(), "what looks like a token is in {}", around(text, long[0]));
    }
}

/// The line that holds `part`, shortened.
fn around<'text>(text: &'text str, part: &str) -> &'text str {
    let line = text.lines().find(|line| line.contains(part)).unwrap_or_default();
    &line[..line.floor_char_boundary(2000)]
}

#[tokio::test]
async fn not_even_a_log_at_debug_level_holds_a_secret_a_token_a_link_or_a_record() {
    let installation = Installation::of(OFFICE).await;
    let debug = [("AWS_LAMBDA_LOG_LEVEL", "DEBUG"), ("RUST_LOG", "debug")];
    let function = installation.deploy_with(SIGN_IN_LOGS, &debug).await;
    installation.run(&function, &event("check")).await;
    let mut runs = 1;
    for kind in [
        "invalid_filter",
        "repeated_link",
        "foreign_link",
        "permission_403",
        "html_200",
        "type_flip",
    ] {
        let faults = format!("name = ''\n[[faults.script]]\nkind = '{kind}'\ntimes = 2");
        let faults = graph_simulator::Scenario::from_toml(&faults).unwrap().faults;
        installation.tenant.set_faults(faults);
        installation.invoke(&function, &event("scheduled")).await;
        runs += 1;
    }
    installation.tenant.set_faults(Faults::default());
    installation.store_parameter("client-secret", "not~the.secret").await;
    installation.fail(&function, &event("span")).await;
    let log = function.log_after(runs + 1).await;
    assert!(log.contains("DEBUG"), "the level is not in force:\n{log}");
    installation.assert_keeps_secrets(&log);
    assert!(!log.contains("not~the.secret"));
}
