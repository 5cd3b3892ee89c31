//! The fields of a provisioning record, as Graph's v1.0 and beta declare them. What Microsoft left
//! open has any members, and so is JSON text.

use super::field::Kind::{Int32, Json, List, Struct, Text, Timestamp};
use super::field::{Field, beta, both};

/// A provisioning record: `provisioningObjectSummary`.
pub(super) const PROVISIONING: &[Field] = &[
    both("id", Text, "Id of the record"),
    both("activityDateTime", Timestamp, "When it happened"),
    both("tenantId", Text, "The tenant; empty in some records"),
    both("jobId", Text, "Provisioning job; its beginning often names the connector"),
    both("cycleId", Text, "Shared by what one run of the job did"),
    both("changeId", Text, "Shared by what belongs to one change"),
    both("provisioningAction", Text, "create, update, disable, stagedDelete, delete or other"),
    both("durationInMilliseconds", Int32, "Time it took"),
    both("provisioningStatusInfo", Struct(STATUS_INFO), "How it ended"),
    both("provisioningSteps", List(&Struct(STEP)), "What was done, in order"),
    both("modifiedProperties", List(&Struct(MODIFIED_PROPERTY)), "What was changed"),
    both("initiatedBy", Struct(INITIATOR), "Who did it, most often the provisioning service"),
    both(
        "servicePrincipal",
        Struct(SERVICE_PRINCIPAL),
        "Application that is provisioned; a collection of them is in other",
    ),
    both("sourceSystem", Struct(SYSTEM), "System that it was read from"),
    both("sourceIdentity", Struct(IDENTITY), "Account or group there"),
    both("targetSystem", Struct(SYSTEM), "System that it was written to"),
    both("targetIdentity", Struct(IDENTITY), "Account or group there"),
    beta("action", Text, "Older twin of provisioningAction"),
    beta("statusInfo", Struct(OLD_STATUS_INFO), "Older twin of provisioningStatusInfo"),
];

const STATUS_INFO: &[Field] = &[
    both("status", Text, "success, failure, skipped or warning"),
    both("errorInformation", Struct(ERROR), "Why it failed; null where it did not"),
];

const OLD_STATUS_INFO: &[Field] = &[beta("status", Text, "success, failure, skipped or warning")];

const ERROR: &[Field] = &[
    both("errorCode", Text, "Code of the error"),
    both("errorCategory", Text, "failure, nonServiceFailure or success"),
    both("reason", Text, "Why, in words"),
    both("additionalDetails", Text, "More words"),
    both("recommendedAction", Text, "What Microsoft recommends"),
];

const STEP: &[Field] = &[
    both("name", Text, "Name of the step, such as EntryImport"),
    both(
        "provisioningStepType",
        Text,
        "import, scoping, matching, processing, referenceResolution or export, in any case",
    ),
    both("status", Text, "success, failure, skipped or warning"),
    both("description", Text, "What was done, in words"),
    both("details", Json, "More, as the connector chose"),
];

const MODIFIED_PROPERTY: &[Field] = &[
    both("displayName", Text, "Name of the property"),
    both("oldValue", Text, "What it was"),
    both("newValue", Text, "What it is now"),
];

const INITIATOR: &[Field] = &[
    both("id", Text, "Id; empty for the service itself"),
    both("displayName", Text, "Its name"),
    both("initiatorType", Text, "user, application or system"),
    both("initiatingType", Text, "The same in records that spell it so"),
];

const SERVICE_PRINCIPAL: &[Field] =
    &[both("id", Text, "Id of the service principal"), both("displayName", Text, "Its name")];

const SYSTEM: &[Field] = &[
    both("id", Text, "Id of the system"),
    both("displayName", Text, "Its name"),
    both("details", Json, "More, such as ApplicationId"),
];

const IDENTITY: &[Field] = &[
    both("id", Text, "Id in that system"),
    both("displayName", Text, "Its name"),
    both("identityType", Text, "User, Group, ServicePrincipal and others"),
    both("details", Json, "More, such as the name to sign in with"),
];
