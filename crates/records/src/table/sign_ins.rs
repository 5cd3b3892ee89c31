//! The fields of a sign-in, as Graph's v1.0 and beta declare them.

use super::field::Kind::{
    Boolean, Double, Int32, Int64, Json, List, Struct, Text, TextOrJson, Timestamp,
};
use super::field::{Field, beta, both, v1};

/// A sign-in.
pub(super) const SIGN_IN: &[Field] = &[
    both("id", Text, "Id of the sign-in request"),
    both("createdDateTime", Timestamp, "When the sign-in began"),
    both(
        "userPrincipalName",
        Text,
        "Who signed in, as a name to sign in with; empty for applications",
    ),
    both("userDisplayName", Text, "Who signed in, as people read it"),
    both("userId", Text, "Who signed in, as an id; empty for applications"),
    beta("userType", Text, "member or guest"),
    both("status", Struct(SIGN_IN_STATUS), "Whether it succeeded, and why not"),
    both("ipAddress", Text, "Address it came from, IPv4 or IPv6"),
    both("location", Struct(LOCATION), "Where that address is"),
    beta("autonomousSystemNumber", Int64, "Network that the address belongs to"),
    both("appDisplayName", Text, "Application that was signed in to"),
    both("appId", Text, "Id of the application that was signed in to"),
    both("resourceDisplayName", Text, "Resource that was asked for"),
    both("resourceId", Text, "Id of the resource that was asked for"),
    both("clientAppUsed", Text, "Kind of client; names legacy protocols"),
    both("userAgent", Text, "What the client calls itself"),
    both("deviceDetail", Struct(DEVICE_DETAIL), "Device it came from"),
    both("isInteractive", Boolean, "Whether a person took part"),
    beta("signInEventTypes", List(&Text), "Who or what signed in; usually one"),
    beta(
        "authenticationRequirement",
        Text,
        "singleFactorAuthentication or multiFactorAuthentication",
    ),
    both("conditionalAccessStatus", Text, "What all Conditional Access policies together came to"),
    both(
        "appliedConditionalAccessPolicies",
        List(&Struct(CONDITIONAL_ACCESS_POLICY)),
        "Each policy; absent without a permission to read policies",
    ),
    // Risk.
    both("riskLevelDuringSignIn", Text, "Risk when it happened"),
    both("riskLevelAggregated", Text, "Risk, all signals together"),
    both("riskState", Text, "Whether the risk stands, was remediated or dismissed"),
    both("riskDetail", Text, "Why the risk is in that state"),
    both("riskEventTypes_v2", List(&Text), "What was detected"),
    v1("riskEventTypes", List(&Text), "Detections in an older form"),
    beta("flaggedForReview", Boolean, "Whether somebody asked an administrator to look at it"),
    // How it was authenticated.
    beta("authenticationDetails", List(&Struct(AUTHENTICATION_DETAIL)), "Each step"),
    beta("authenticationMethodsUsed", List(&Text), "Methods that were used"),
    beta(
        "authenticationProcessingDetails",
        List(&Struct(KEY_VALUE)),
        "What the service noted on the way",
    ),
    beta(
        "authenticationRequirementPolicies",
        List(&Struct(AUTHENTICATION_REQUIREMENT_POLICY)),
        "What asked for the factors",
    ),
    beta(
        "authenticationContextClassReferences",
        List(&Struct(AUTHENTICATION_CONTEXT)),
        "Authentication contexts that were asked for",
    ),
    beta(
        "authenticationProtocol",
        Text,
        "Protocol, such as deviceCode or ropc; several joined by commas",
    ),
    beta(
        "originalTransferMethod",
        Text,
        "How the session came to the device, such as deviceCodeFlow",
    ),
    both(
        "authenticationAppDeviceDetails",
        Struct(AUTHENTICATION_APP_DEVICE),
        "Device of the authenticator app",
    ),
    beta(
        "authenticationAppPolicyEvaluationDetails",
        List(&Struct(AUTHENTICATION_APP_POLICY)),
        "Policies of the authenticator app",
    ),
    beta("mfaDetail", Struct(MFA_DETAIL), "Second factor; deprecated"),
    beta(
        "sessionLifetimePolicies",
        List(&Struct(SESSION_LIFETIME_POLICY)),
        "Policies on how long a session lasts",
    ),
    beta(
        "conditionalAccessAudiences",
        List(&TextOrJson),
        "Audiences that Conditional Access looked at: ids, or objects as JSON text",
    ),
    // Tokens and sessions.
    both("correlationId", Text, "Shared by requests of one flow"),
    beta("originalRequestId", Text, "Id of the first request of the sequence"),
    beta("sessionId", Text, "Session in which it happened"),
    beta("clientSessionId", Text, "Session as the client counts it"),
    beta("uniqueTokenIdentifier", Text, "Id of the token that was issued"),
    beta("incomingTokenType", Text, "Token that was presented; several joined by commas"),
    beta("tokenIssuerName", Text, "Identity provider, where it is not Entra ID"),
    beta("tokenIssuerType", Text, "Kind of identity provider"),
    beta("signInTokenProtectionStatus", Text, "Whether the token is bound to the device"),
    beta("appTokenProtectionStatus", Text, "Whether the application's token is bound"),
    beta("tokenProtectionStatusDetails", Struct(TOKEN_PROTECTION), "Why the token is bound or not"),
    // Who, once more: names, tenants, applications, managed identities, agents.
    beta("signInIdentifier", Text, "What was typed to sign in"),
    beta("signInIdentifierType", Text, "What kind of name that is"),
    both("homeTenantId", Text, "Tenant of the one who signed in"),
    beta("homeTenantName", Text, "Name of the tenant of the one who signed in"),
    both("resourceTenantId", Text, "Tenant of the resource"),
    beta("resourceOwnerTenantId", Text, "Tenant that owns the resource"),
    beta("appOwnerTenantId", Text, "Tenant that owns the application"),
    beta(
        "crossTenantAccessType",
        Text,
        "Whether and how it crossed tenants, such as b2bCollaboration",
    ),
    beta("isTenantRestricted", Boolean, "Whether tenant restrictions applied"),
    both("servicePrincipalName", Text, "Application that signed in by itself"),
    both("servicePrincipalId", Text, "Id of the application that signed in by itself"),
    beta("servicePrincipalCredentialKeyId", Text, "Credential that it used"),
    beta("servicePrincipalCredentialThumbprint", Text, "Certificate that it used"),
    beta("clientCredentialType", Text, "Kind of that credential"),
    beta("federatedCredentialId", Text, "Federated credential that it used"),
    beta("resourceServicePrincipalId", Text, "Service principal of the resource"),
    beta("managedServiceIdentity", Struct(MANAGED_IDENTITY), "Managed identity that signed in"),
    beta("azureResourceId", Text, "Azure resource that it belongs to"),
    beta("agent", Struct(AGENT), "AI agent that took part"),
    // Networks.
    beta(
        "networkLocationDetails",
        List(&Struct(NETWORK_LOCATION)),
        "Named locations and kinds of network",
    ),
    beta("ipAddressFromResourceProvider", Text, "Address that the resource saw"),
    beta("isThroughGlobalSecureAccess", Boolean, "Whether it came through Global Secure Access"),
    beta("globalSecureAccessIpAddress", Text, "Address of Global Secure Access"),
    beta("privateLinkDetails", Struct(PRIVATE_LINK), "Private link that it came through"),
    beta("appliedEventListeners", List(&Struct(EVENT_LISTENER)), "Custom extensions that ran"),
    beta("processingTimeInMilliseconds", Int32, "How long the service took"),
];

const SIGN_IN_STATUS: &[Field] = &[
    both("errorCode", Int32, "0 for success, otherwise the number of an AADSTS error"),
    both("failureReason", Text, "That error in words; Other. on many that succeeded"),
    both("additionalDetails", Text, "More, such as how MFA was satisfied"),
];

const LOCATION: &[Field] = &[
    both("city", Text, "City"),
    both("state", Text, "State or province"),
    both("countryOrRegion", Text, "Country, as two letters"),
    both("geoCoordinates", Struct(GEO_COORDINATES), "Coordinates"),
];

const GEO_COORDINATES: &[Field] = &[
    both("altitude", Double, "Height"),
    both("latitude", Double, "Degrees north"),
    both("longitude", Double, "Degrees east"),
];

const DEVICE_DETAIL: &[Field] = &[
    both("deviceId", Text, "Id of the device; empty where it is not known"),
    both("displayName", Text, "Name of the device"),
    both("operatingSystem", Text, "Operating system"),
    both("browser", Text, "Browser"),
    beta("browserId", Text, "Id of the browser"),
    both("isCompliant", Boolean, "Whether it complies with policy"),
    both("isManaged", Boolean, "Whether it is managed"),
    both("trustType", Text, "How it is joined to the tenant"),
];

const CONDITIONAL_ACCESS_POLICY: &[Field] = &[
    both("id", Text, "Id of the policy"),
    both("displayName", Text, "Its name"),
    both("result", Text, "What it came to; reportOnly… for policies on trial"),
    both("enforcedGrantControls", List(&Text), "What it demanded"),
    both("enforcedSessionControls", List(&Text), "What it limited in the session"),
    beta("sessionControlsNotSatisfied", List(&Text), "Session controls that were not met"),
    beta("conditionsSatisfied", Text, "Conditions that were met; several joined by commas"),
    beta("conditionsNotSatisfied", Text, "Conditions that were not met; several joined by commas"),
    beta("includeRulesSatisfied", List(&Struct(CONDITIONAL_ACCESS_RULE)), "Why it applied"),
    beta("excludeRulesSatisfied", List(&Struct(CONDITIONAL_ACCESS_RULE)), "Why it did not apply"),
    beta("authenticationStrength", Struct(AUTHENTICATION_STRENGTH), "Strength that it demanded"),
];

const CONDITIONAL_ACCESS_RULE: &[Field] = &[
    beta("conditionalAccessCondition", Text, "Condition; several joined by commas"),
    beta("ruleSatisfied", Text, "Rule of that condition"),
];

const AUTHENTICATION_STRENGTH: &[Field] = &[
    beta("authenticationStrengthId", Text, "Id of the strength"),
    beta("displayName", Text, "Its name"),
    beta("authenticationStrengthResult", Text, "Whether it was met"),
];

const AUTHENTICATION_DETAIL: &[Field] = &[
    beta("authenticationStepDateTime", Timestamp, "When"),
    beta("authenticationMethod", Text, "Method, such as Password"),
    beta("authenticationMethodDetail", Text, "More on the method"),
    beta("succeeded", Boolean, "Whether it succeeded"),
    beta("authenticationStepResultDetail", Text, "What came of it, in words"),
    beta("authenticationStepRequirement", Text, "What asked for it"),
];

const KEY_VALUE: &[Field] =
    &[both("key", Text, "What"), both("value", Text, "Its value, often JSON text")];

const AUTHENTICATION_REQUIREMENT_POLICY: &[Field] =
    &[beta("requirementProvider", Text, "Kind of policy"), beta("detail", Text, "Its name")];

const AUTHENTICATION_CONTEXT: &[Field] =
    &[beta("id", Text, "Id of the context"), beta("detail", Text, "How it was asked for")];

const AUTHENTICATION_APP_DEVICE: &[Field] = &[
    both("deviceId", Text, "Id of the device"),
    both("operatingSystem", Text, "Operating system"),
    both("clientApp", Text, "App"),
    both("appVersion", Text, "Its version"),
];

const AUTHENTICATION_APP_POLICY: &[Field] = &[
    beta("policyName", Text, "Name of the policy"),
    beta("adminConfiguration", Text, "What the administrator chose"),
    beta("authenticationEvaluation", Text, "What it came to"),
    beta("status", Text, "Whether it was applied"),
];

const MFA_DETAIL: &[Field] = &[
    beta("authMethod", Text, "Method"),
    beta("authDetail", Text, "Part of the number or address"),
];

const SESSION_LIFETIME_POLICY: &[Field] = &[
    beta("expirationRequirement", Text, "What ended the session"),
    beta("detail", Text, "More on that"),
];

const TOKEN_PROTECTION: &[Field] = &[
    beta("signInSessionStatus", Text, "Whether the session is bound"),
    beta("signInSessionStatusCode", Int32, "Why not, as a number"),
];

const MANAGED_IDENTITY: &[Field] = &[
    beta("msiType", Text, "systemAssigned or userAssigned"),
    beta("associatedResourceId", Text, "Azure resource that it is assigned to"),
    beta("federatedTokenId", Text, "Id of the token of the other identity provider"),
    beta("federatedTokenIssuer", Text, "That identity provider"),
];

const AGENT: &[Field] = &[
    beta("agentType", Text, "Kind of agent"),
    beta("agentSubjectType", Text, "Kind of agent that the token is about"),
    beta("agentSubjectParentId", Text, "What that one was made from"),
    beta("parentAppId", Text, "Application that it was made from"),
];

const NETWORK_LOCATION: &[Field] = &[
    beta("networkType", Text, "Kind of network"),
    beta("networkNames", List(&Text), "Names of the locations"),
];

const PRIVATE_LINK: &[Field] = &[
    beta("policyId", Text, "Id of the policy"),
    beta("policyName", Text, "Its name"),
    beta("policyTenantId", Text, "Its tenant"),
    beta("resourceId", Text, "Resource that it belongs to"),
];

const EVENT_LISTENER: &[Field] = &[
    beta("eventType", Text, "When it ran"),
    beta("executedListenerId", Text, "Id of the listener"),
    beta("handlerResult", Json, "What it returned"),
];
