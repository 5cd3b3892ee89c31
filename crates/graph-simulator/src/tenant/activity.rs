//! The activities of the directory: what an audit record of each holds. Texts are ready to stand in
//! JSON.

pub(crate) mod planted;

/// Who starts an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Initiator {
    User,
    Application,
    Nobody,
}

/// One kind of directory change.
#[derive(Debug)]
pub(crate) struct Activity {
    pub(crate) name: &'static str,
    pub(crate) category: &'static str,
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    /// First part of the record's id.
    pub(crate) prefix: &'static str,
    pub(crate) initiator: Initiator,
    pub(crate) target_type: &'static str,
    /// The name of the target; empty: the name of a user.
    pub(crate) target: &'static str,
    pub(crate) result: &'static str,
    /// Display name, old and new value; values are JSON text inside the string.
    pub(crate) properties: &'static [(&'static str, &'static str, &'static str)],
}

const UPDATE_USER: Activity = Activity {
    name: "Update user",
    category: "UserManagement",
    service: "Core Directory",
    operation: "Update",
    prefix: "Directory",
    initiator: Initiator::User,
    target_type: "User",
    target: "",
    result: "success",
    properties: &[
        (
            "StrongAuthenticationMethod",
            r#"[{\"MethodType\":6,\"Default\":true},{\"MethodType\":7,\"Default\":false}]"#,
            r#"[{\"MethodType\":7,\"Default\":false},{\"MethodType\":0,\"Default\":true}]"#,
        ),
        (
            "StrongAuthenticationPhoneAppDetail",
            r"[]",
            r#"[{\"DeviceName\":\"Pixel 9\",\"DeviceToken\":\"apns2-\\u0065xample\",\"DeviceTag\":\"SoftwareTokenActivated\",\"PhoneAppVersion\":\"6.2411.7533\",\"OathTokenTimeDrift\":0,\"TimeInterval\":0,\"AuthenticationType\":3,\"NotificationType\":4}]"#,
        ),
        (
            "Included Updated Properties",
            "",
            r#"\"StrongAuthenticationMethod, StrongAuthenticationPhoneAppDetail\""#,
        ),
        ("TargetId.UserType", "", r#"\"Member\""#),
    ],
};

/// The activities of ordinary volume, the most frequent first.
pub(crate) static ACTIVITIES: [Activity; 9] = [
    UPDATE_USER,
    Activity {
        name: "Add member to group",
        category: "GroupManagement",
        operation: "Assign",
        properties: &[
            ("Group.ObjectID", "", r#"\"1c8e2b7f-5a40-4d13-b6f9-0e7d3a2c4b59\""#),
            ("Group.DisplayName", "", r#"\"Équipe 🚀 — Projet \\\"Aurore\\\"\""#),
            ("Group.WellKnownObjectName", "", ""),
        ],
        ..UPDATE_USER
    },
    Activity {
        name: "Update device",
        category: "Device",
        initiator: Initiator::Application,
        target_type: "Device",
        target: "LAPTOP-7F21C",
        properties: &[
            (
                "DevicePhysicalIds",
                r#"[\"[USER-GID]:0a1b\",\"[HWID]:h:6825\"]"#,
                r#"[\"[USER-GID]:0a1b\",\"[HWID]:h:6826\"]"#,
            ),
            ("Included Updated Properties", "", r#"\"DevicePhysicalIds\""#),
        ],
        ..UPDATE_USER
    },
    Activity {
        name: "GroupLifecyclePolicies_Get",
        category: "GroupManagement",
        service: "Self-service Group Management",
        prefix: "SSGM",
        target_type: "N/A",
        properties: &[],
        ..UPDATE_USER
    },
    Activity {
        name: "Reset password (self-service)",
        service: "Self-service Password Management",
        operation: "Update",
        prefix: "SSPR",
        properties: &[("Included Updated Properties", "", "")],
        ..UPDATE_USER
    },
    Activity {
        name: "Hard delete service principal",
        category: "ApplicationManagement",
        operation: "Delete",
        initiator: Initiator::Application,
        target_type: "ServicePrincipal",
        target: "temp-deploy-app",
        properties: &[
            ("AccountEnabled", "[true]", "[]"),
            ("AppPrincipalId", r#"[\"b9a8f7e6-d5c4-4b3a-8291-8070605040aa\"]"#, "[]"),
        ],
        ..UPDATE_USER
    },
    Activity {
        name: "Update application – Certificates and secrets management ",
        category: "ApplicationManagement",
        target_type: "Application",
        target: "Contoso Expenses",
        properties: &[(
            "KeyDescription",
            r#"[\"[KeyIdentifier=2d3e4f50-6172-4839-8a4b-5c6d7e8f9a0b,KeyType=Password,KeyUsage=Verify,DisplayName=ci]\"]"#,
            "[]",
        )],
        ..UPDATE_USER
    },
    Activity {
        name: "Remove member from role (PIM activation expired)",
        category: "RoleManagement",
        service: "PIM",
        operation: "RemoveActivatedRole",
        prefix: "PIM",
        initiator: Initiator::Nobody,
        target_type: "Role",
        target: "Security Reader",
        result: "unknownFutureValue",
        properties: &[("", "", r#"{\"a\":[1,{\"b\":\"c\\\\d\"}]}"#)],
    },
    Activity {
        name: "Add user",
        operation: "Add",
        result: "failure",
        properties: &[
            ("AccountEnabled", "[]", "[true]"),
            ("UserPrincipalName", "[]", r#"[\"new.user@contoso.example\"]"#),
            ("UserType", "[]", r#"[\"Member\"]"#),
        ],
        ..UPDATE_USER
    },
];

/// Those of [`ACTIVITIES`] that are no administrator's.
pub(crate) static SELF_SERVICE: &[Activity] = ACTIVITIES.split_at(2).1.split_at(3).0;
