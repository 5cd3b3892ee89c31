//! The fields of a directory audit, as Graph's v1.0 and beta declare them.

use super::field::Kind::{List, Struct, Text, Timestamp};
use super::field::{Field, beta, both};

/// A directory audit.
pub(super) const DIRECTORY_AUDIT: &[Field] = &[
    both("id", Text, "Id of the audit; not always a GUID"),
    both("activityDateTime", Timestamp, "When it happened"),
    both("activityDisplayName", Text, "What was done, such as Add member to role"),
    both("category", Text, "Part of the directory, such as RoleManagement"),
    both("operationType", Text, "Add, Update, Assign, Delete and others"),
    both("result", Text, "success, failure or timeout"),
    both("resultReason", Text, "Why, in words"),
    both("initiatedBy", Struct(INITIATOR), "Who did it: a user or an application"),
    both("targetResources", List(&Struct(TARGET_RESOURCE)), "What it was done to"),
    both("additionalDetails", List(&Struct(KEY_VALUE)), "More, as the service chose"),
    both("loggedByService", Text, "Service that wrote it"),
    both("correlationId", Text, "Shared by what belongs together"),
    beta("userAgent", Text, "What the client calls itself"),
    beta("performedBy", Struct(PERFORMER), "Who acted for the one who initiated it"),
];

const INITIATOR: &[Field] = &[
    both("user", Struct(USER), "The user"),
    both("app", Struct(APP), "The application"),
    beta("linkableIdentifiers", Struct(LINKABLE_IDENTIFIERS), "What links it to a sign-in"),
];

const USER: &[Field] = &[
    both("id", Text, "Id of the user"),
    both("displayName", Text, "Name as people read it"),
    both("userPrincipalName", Text, "Name to sign in with"),
    both("ipAddress", Text, "Address that the user came from"),
    both("userType", Text, "Member or Guest"),
    both("homeTenantId", Text, "Tenant of the user"),
    both("homeTenantName", Text, "Name of the home tenant"),
    beta("agentType", Text, "Kind of agent, where the user is one; undocumented"),
];

const APP: &[Field] = &[
    both("appId", Text, "Id of the application"),
    both("displayName", Text, "Its name"),
    both("servicePrincipalId", Text, "Id of its service principal"),
    both("servicePrincipalName", Text, "Name of its service principal"),
];

const LINKABLE_IDENTIFIERS: &[Field] = &[
    beta("deviceId", Text, "Id of the device"),
    beta("sessionId", Text, "Session in which it happened"),
    beta("tokenDetails", Struct(TOKEN), "Token that was used"),
];

const TOKEN: &[Field] = &[
    beta("uniqueTokenIdentifier", Text, "Id of the token, as in sign_ins"),
    beta("issuedAtDateTime", Timestamp, "When it was issued"),
];

const TARGET_RESOURCE: &[Field] = &[
    both("id", Text, "Id of the object"),
    both("displayName", Text, "Its name"),
    both("type", Text, "User, Group, Role, Application, ServicePrincipal and others"),
    both("userPrincipalName", Text, "Name to sign in with, of a user"),
    both("groupType", Text, "unifiedGroups or azureAD, of a group"),
    both("modifiedProperties", List(&Struct(MODIFIED_PROPERTY)), "What was changed in it"),
];

const MODIFIED_PROPERTY: &[Field] = &[
    both("displayName", Text, "Name of the property"),
    both("oldValue", Text, "What it was, often JSON text"),
    both("newValue", Text, "What it is now, often JSON text"),
];

const KEY_VALUE: &[Field] = &[both("key", Text, "What"), both("value", Text, "Its value")];

const PERFORMER: &[Field] = &[
    beta("identityType", Text, "agent or servicePrincipal"),
    beta("appId", Text, "Id of the application"),
    beta("blueprintId", Text, "What an agent was made from"),
];
