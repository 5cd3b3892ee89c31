//! Ends of sign-ins: the status block, and the verdict of the risk engine.

/// One way for a sign-in to end. Texts are ready to stand inside JSON strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: u32,
    pub(crate) reason: &'static str,
    pub(crate) details: Option<&'static str>,
    pub(crate) access: &'static str,
    /// Relative frequency in ordinary volume.
    pub(crate) weight: u32,
}

/// A verdict of the risk engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Risk {
    pub(crate) detail: &'static str,
    pub(crate) level: &'static str,
    pub(crate) state: &'static str,
    pub(crate) events: &'static str,
}

const fn outcome(
    code: u32,
    reason: &'static str,
    details: Option<&'static str>,
    access: &'static str,
    weight: u32,
) -> Outcome {
    Outcome { code, reason, details, access, weight }
}

pub(crate) const SUCCESS: Outcome =
    outcome(0, "Other.", Some("MFA requirement satisfied by claim in the token"), "success", 600);

pub(crate) const WRONG_PASSWORD: Outcome = outcome(
    50126,
    "Error validating credentials due to invalid username or password.",
    Some(
        "The user didn't enter the right credentials. \\u00a0It's expected to see some of these \
         errors in your logs due to users making mistakes.",
    ),
    "notApplied",
    30,
);

pub(crate) const MFA_COMPLETED: Outcome =
    outcome(0, "Other.", Some("MFA completed in Azure AD"), "success", 150);

pub(crate) const MFA_DENIED: Outcome = outcome(
    500_121,
    "Authentication failed during strong authentication request.",
    Some("MFA denied; user declined the authentication"),
    "failure",
    4,
);

pub(crate) const BLOCKED: Outcome = outcome(
    53003,
    "Access has been blocked by Conditional Access policies. The access policy does not allow \
     token issuance.",
    Some(
        "If this is unexpected, see the conditional access policy that applied to this request in \
         the Azure Portal: https://portal.azure.com/#view\\/ConditionalAccess",
    ),
    "failure",
    8,
);

const OUTCOMES: [Outcome; 9] = [
    SUCCESS,
    MFA_COMPLETED,
    outcome(0, "Other.", None, "notApplied", 150),
    WRONG_PASSWORD,
    MFA_DENIED,
    outcome(
        50140,
        "This occurred due to 'Keep me signed in' interrupt when the user was signing in.",
        None,
        "success",
        25,
    ),
    outcome(
        50074,
        "Strong Authentication is required.",
        Some(
            "User needs to perform multi-factor authentication. There could be multiple things \
             requiring multi-factor, e.g. Conditional Access policies, per-user enforcement.",
        ),
        "failure",
        20,
    ),
    BLOCKED,
    outcome(
        70044,
        "The session has expired or is invalid due to sign-in frequency checks by conditional \
         access.",
        Some(""),
        "unknownFutureValue",
        5,
    ),
];

pub(crate) const NO_RISK: Risk = Risk { detail: "none", level: "none", state: "none", events: "" };

pub(crate) const TRAVEL_RISK: Risk =
    Risk { detail: "none", level: "medium", state: "atRisk", events: r#""unlikelyTravel""# };

pub(crate) const LEAKED_RISK: Risk =
    Risk { detail: "none", level: "high", state: "atRisk", events: r#""leakedCredentials""# };

/// Detail and events are younger than the sentinel of their enum.
const NEW_RISK: Risk = Risk {
    detail: "m365DAdminDismissedDetection",
    level: "low",
    state: "dismissed",
    events: r#""newDetectionNotInAnyList","maliciousIPAddress""#,
};

const PASSED_RISK: Risk = Risk {
    detail: "userPassedMFADrivenByRiskBasedPolicy",
    level: "low",
    state: "remediated",
    events: r#""unfamiliarFeatures""#,
};

impl Outcome {
    /// Draws an ordinary outcome; `share` lies in 0 to 1.
    pub(crate) fn draw(share: f64) -> Self {
        let total: u32 = OUTCOMES.iter().map(|outcome| outcome.weight).sum();
        let mut left = share * f64::from(total);
        for outcome in OUTCOMES {
            left -= f64::from(outcome.weight);
            if left < 0.0 {
                return outcome;
            }
        }
        SUCCESS
    }
}

impl Risk {
    /// Draws an ordinary verdict: nearly always none.
    pub(crate) fn draw(share: f64) -> Self {
        match share {
            share if share < 0.97 => NO_RISK,
            share if share < 0.98 => TRAVEL_RISK,
            share if share < 0.99 => PASSED_RISK,
            _ => NEW_RISK,
        }
    }
}
