//! The activities that stories plant.

use super::{Activity, UPDATE_USER};

pub(crate) static ROLE_GRANT: Activity = Activity {
    name: "Add member to role",
    category: "RoleManagement",
    operation: "Assign",
    properties: &[
        ("Role.ObjectID", "", r#"\"5f2222b1-57c3-48ba-8ad5-d4759f1fde6f\""#),
        ("Role.DisplayName", "", r#"\"Global Administrator\""#),
        ("Role.TemplateId", "", r#"\"62e90394-69f5-4237-9190-012177145e10\""#),
        ("Role.WellKnownObjectName", "", r#"\"TenantAdmins\""#),
    ],
    ..UPDATE_USER
};

pub(crate) static RISKY_CONSENT: Activity = Activity {
    name: "Consent to application",
    category: "ApplicationManagement",
    operation: "Assign",
    target_type: "ServicePrincipal",
    target: "Mail Assistant Pro",
    properties: &[
        ("ConsentContext.IsAdminConsent", "", r#"\"False\""#),
        ("ConsentContext.IsAppOnly", "", r#"\"False\""#),
        ("ConsentContext.OnBehalfOfAll", "", r#"\"False\""#),
        (
            "ConsentAction.Permissions",
            "",
            r#"\"[] =\u003e [[Id: 7tW0, ClientId: 00000000-0000-0000-0000-000000000000, ConsentType: Principal, Scope: Mail.ReadWrite Mail.Send offline_access openid profile]];\""#,
        ),
        ("TargetId.ServicePrincipalNames", "", r#"\"https://mail-assistant.example\""#),
    ],
    ..UPDATE_USER
};

pub(crate) static POLICY_CHANGE: Activity = Activity {
    name: "Update conditional access policy",
    category: "Policy",
    service: "Conditional Access",
    target_type: "Policy",
    target: "CA001: Require MFA for all users",
    properties: &[(
        "ConditionalAccessPolicy",
        r#"{\"displayName\":\"CA001: Require MFA for all users\",\"state\":\"enabled\"}"#,
        r#"{\"displayName\":\"CA001: Require MFA for all users\",\"state\":\"disabled\"}"#,
    )],
    ..UPDATE_USER
};

pub(crate) static MFA_METHOD_CHANGE: Activity = Activity {
    name: "Admin registered security info",
    service: "Authentication Methods",
    properties: &[],
    ..UPDATE_USER
};

pub(crate) static NEW_CREDENTIAL: Activity = Activity {
    name: "Update application – Certificates and secrets management ",
    category: "ApplicationManagement",
    target_type: "Application",
    target: "Contoso Expenses",
    properties: &[
        (
            "KeyDescription",
            "[]",
            r#"[\"[KeyIdentifier=7c1e90ab-4d27-4f06-9e55-2a6f0c8b0100,KeyType=Password,KeyUsage=Verify,DisplayName=temp]\"]"#,
        ),
        ("Included Updated Properties", "", r#"\"KeyDescription\""#),
    ],
    ..UPDATE_USER
};

pub(crate) static USER_DELETION: Activity = Activity {
    name: "Delete user",
    operation: "Delete",
    properties: &[("Is Hard Deleted", "", r#"\"False\""#)],
    ..UPDATE_USER
};
