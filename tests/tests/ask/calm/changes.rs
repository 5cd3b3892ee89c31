//! The changes of the directory in the month: roles for a day, phones, people who come and go, two
//! applications, and what the directory does by itself.

use chrono::{DateTime, TimeDelta, Utc};
use entratrail::log::Stream;
use serde_json::{Value, json};

use super::people::{Device, Person};
use super::{Month, time_of};
use crate::made::merged;

/// The service principal by which Privileged Identity Management changes roles.
const ROLES_OF_PIM: &str = "MS-PIM";

/// Days on which the two applications are introduced.
const OWN_APPLICATION_ON: u64 = 17;
const BOUGHT_APPLICATION_ON: u64 = 10;

/// Numbers of the people who do such things.
const ADMINISTRATOR: usize = 1;
const HELP_DESK: usize = 2;
const DEVELOPER: usize = 27;

/// Groups that a newcomer is put into, and somebody who leaves is taken out of.
const GROUPS: usize = 6;

/// A change that an audit tells of.
#[derive(Debug, Clone, Copy)]
struct Change<'words> {
    activity: &'words str,
    category: &'words str,
    service: &'words str,
}

const fn change<'words>(
    activity: &'words str,
    category: &'words str,
    service: &'words str,
) -> Change<'words> {
    Change { activity, category, service }
}

/// Whoever makes a change, as `initiatedBy` has it.
fn by(person: &Person) -> Value {
    json!({"app": null, "user": {
        "id": person.id(), "displayName": null, "userPrincipalName": person.principal_name(),
        "ipAddress": "198.51.100.1", "userType": null, "homeTenantId": null, "homeTenantName": null
    }})
}

fn by_number(number: usize) -> Value {
    by(&super::people::all()[number])
}

fn by_application(name: &str) -> Value {
    json!({"user": null, "app": {
        "appId": null, "displayName": name, "servicePrincipalId": format!("principal-{name}"),
        "servicePrincipalName": null
    }})
}

fn user(person: &Person, properties: &[(&str, &str, &str)]) -> Value {
    json!({
        "id": person.id(), "displayName": person.display_name(), "type": "User",
        "userPrincipalName": person.principal_name(), "groupType": null,
        "modifiedProperties": modified(properties)
    })
}

fn thing(kind: &str, name: &str, properties: &[(&str, &str, &str)]) -> Value {
    json!({
        "id": format!("{kind}-{name}"), "displayName": name, "type": kind, "userPrincipalName": null,
        "groupType": null, "modifiedProperties": modified(properties)
    })
}

/// Properties with their old and new values, which are JSON texts.
fn modified(properties: &[(&str, &str, &str)]) -> Vec<Value> {
    let property = |(name, old, new): &(&str, &str, &str)| json!({"displayName": name, "oldValue": old, "newValue": new});
    properties.iter().map(property).collect()
}

impl Month {
    /// The changes of a day.
    pub(super) fn change_the_directory(&mut self, people: &[Person], ago: u64) {
        for _ in 0..self.volume.changes {
            let at = self.moment(ago, 0..24);
            let record = self.shapes.audit(&mut self.random);
            self.push(at, record);
        }
        for person in people {
            if person.is_administrator() && !super::is_weekend(ago) {
                self.activate_role(person, ago);
            }
            if person.new_phone_on == Some(ago) {
                self.register_phone(person, ago);
            }
            if person.first_day == ago {
                self.welcome(person, ago);
            }
            if person.last_day == ago + 1 {
                self.say_goodbye(person, ago);
            }
        }
        match ago {
            OWN_APPLICATION_ON => self.introduce_own_application(),
            BOUGHT_APPLICATION_ON => self.introduce_bought_application(),
            _ => {}
        }
    }

    /// A role for the working day: PIM tells of it, and the directory, in which PIM's own principal
    /// grants it.
    fn activate_role(&mut self, person: &Person, ago: u64) {
        let at = self.moment(ago, 7..9);
        let role = ["Global Administrator", "User Administrator", "Helpdesk Administrator"]
            [person.number % 3];
        let of_pim = |activity| change(activity, "RoleManagement", "PIM");
        let of_core = |activity| change(activity, "RoleManagement", "Core Directory");
        let targets = [thing("Role", role, &[]), user(person, &[])];
        self.record(
            at,
            of_pim("Add member to role requested (PIM activation)"),
            &by(person),
            &targets,
        );
        let done_at = at + TimeDelta::seconds(4);
        self.record(
            done_at,
            of_pim("Add member to role completed (PIM activation)"),
            &by(person),
            &targets,
        );
        let named = format!("\"{role}\"");
        let granted = [user(person, &[("Role.DisplayName", "", &named)]), thing("Role", role, &[])];
        let pim = by_application(ROLES_OF_PIM);
        self.record(done_at, of_core("Add member to role"), &pim, &granted);
        let over_at = at + TimeDelta::hours(8);
        let taken = [user(person, &[("Role.DisplayName", &named, "")]), thing("Role", role, &[])];
        self.record(over_at, of_core("Remove member from role"), &pim, &taken);
        let expired = of_pim("Remove member from role (PIM activation expired)");
        self.record(over_at, expired, &pim, &targets);
    }

    /// The user registers a phone and the authenticator on it.
    fn register_phone(&mut self, person: &Person, ago: u64) {
        let at = self.moment(ago, 6..7);
        self.register_device(person, &person.phone(ago), at);
        let own = by(person);
        let methods = r#"[{"DeviceName":"Phone","AuthenticationType":3}]"#;
        let details = [user(person, &[("StrongAuthenticationPhoneAppDetail", "[]", methods)])];
        let updated = change("Update user", "UserManagement", "Core Directory");
        self.record(
            at,
            updated,
            &by_application("Azure MFA StrongAuthenticationService"),
            &details,
        );
        let registered =
            change("User registered security info", "UserManagement", "Authentication Methods");
        self.record(at, registered, &own, &[user(person, &[])]);
    }

    fn register_device(&mut self, person: &Person, device: &Device, at: DateTime<Utc>) {
        let service = "Device Registration Service";
        let target =
            [thing("Device", &device.name, &[("DeviceOSVersion", "[]", "[\"10.0.26100.1742\"]")])];
        self.record(at, change("Register device", "Device", service), &by(person), &target);
        let principal = by_application("Device Registration Service");
        for activity in
            ["Add device", "Add registered owner to device", "Add registered users to device"]
        {
            self.record(at, change(activity, "Device", "Core Directory"), &principal, &target);
        }
    }

    /// A new colleague: the account two days before, groups, and the first laptop.
    fn welcome(&mut self, person: &Person, ago: u64) {
        let help_desk = by_number(HELP_DESK);
        let made_at = time_of(ago + 1, 13 * 3600);
        let of_users = |activity| change(activity, "UserManagement", "Core Directory");
        let account = [user(
            person,
            &[("AccountEnabled", "[]", "[true]"), ("UserType", "[]", "[\"Member\"]")],
        )];
        self.record(made_at, of_users("Add user"), &help_desk, &account);
        self.record(made_at, of_users("Update user"), &help_desk, &[user(person, &[])]);
        self.record(made_at, of_users("Change user license"), &help_desk, &[user(person, &[])]);
        self.regroup("Add member to group", person, made_at);
        let at = time_of(ago, 9 * 3600);
        self.register_device(person, &person.laptop(), at);
        let registered =
            change("User registered security info", "UserManagement", "Authentication Methods");
        self.record(at, registered, &by(person), &[user(person, &[])]);
    }

    /// The account of a colleague who leaves is disabled on the evening, its tokens end, its groups
    /// are taken.
    fn say_goodbye(&mut self, person: &Person, ago: u64) {
        let help_desk = by_number(HELP_DESK);
        let at = time_of(ago, 3600);
        let of_users = |activity| change(activity, "UserManagement", "Core Directory");
        let target = [user(person, &[("AccountEnabled", "[true]", "[false]")])];
        self.record(at, of_users("Disable account"), &help_desk, &target);
        self.end_tokens(person, at, &help_desk);
        self.regroup("Remove member from group", person, at);
        self.record(
            at + TimeDelta::hours(8),
            of_users("Delete user"),
            &help_desk,
            &[user(person, &[])],
        );
    }

    fn regroup(&mut self, activity: &str, person: &Person, at: DateTime<Utc>) {
        for group in 0..GROUPS {
            let targets = [user(person, &[]), thing("Group", &format!("Team {group}"), &[])];
            let moved = change(activity, "GroupManagement", "Core Directory");
            self.record(at, moved, &by_number(HELP_DESK), &targets);
        }
    }

    /// The help desk sets a password, which ends the tokens of before.
    pub(super) fn reset_password(&mut self, person: &Person, at: DateTime<Utc>) {
        let help_desk = by_number(HELP_DESK);
        let reset = change("Reset password (by admin)", "UserManagement", "Core Directory");
        self.record(at, reset, &help_desk, &[user(person, &[])]);
        self.end_tokens(person, at, &help_desk);
    }

    fn end_tokens(&mut self, person: &Person, at: DateTime<Utc>, initiator: &Value) {
        let new = format!("[\"{}\"]", at.format("%Y-%m-%dT%H:%M:%SZ"));
        let properties =
            [("StsRefreshTokensValidFrom", "[\"2026-01-05T08:00:00Z\"]", new.as_str())];
        let ended =
            change("Update StsRefreshTokenValidFrom Timestamp", "UserManagement", "Core Directory");
        self.record(at, ended, initiator, &[user(person, &properties)]);
    }

    /// A developer registers an application with a secret, and an administrator permits it to read
    /// profiles.
    fn introduce_own_application(&mut self) {
        let at = time_of(OWN_APPLICATION_ON, 10 * 3600);
        let developer = by_number(DEVELOPER);
        let maker = &super::people::all()[DEVELOPER];
        let name = "Contoso Rooms";
        let of_apps = |activity| change(activity, "ApplicationManagement", "Core Directory");
        let address = r#"[{"Address":"https://rooms.contoso.example","AddressType":0}]"#;
        let made = [thing("Application", name, &[("AppAddress", "[]", address)])];
        self.record(at, of_apps("Add application"), &developer, &made);
        let owned =
            [user(maker, &[("Application.DisplayName", "", "\"Contoso Rooms\"")]), made[0].clone()];
        self.record(
            at + TimeDelta::seconds(1),
            of_apps("Add owner to application"),
            &developer,
            &owned,
        );
        let principal = [thing("ServicePrincipal", name, &[])];
        self.record(
            at + TimeDelta::seconds(2),
            of_apps("Add service principal"),
            &developer,
            &principal,
        );
        let owned = [
            user(maker, &[("ServicePrincipal.DisplayName", "", "\"Contoso Rooms\"")]),
            principal[0].clone(),
        ];
        let owns = of_apps("Add owner to service principal");
        self.record(at + TimeDelta::seconds(2), owns, &developer, &owned);
        let key = r#"["[KeyIdentifier=5b0c,KeyType=Password,KeyUsage=Verify,DisplayName=first]"]"#;
        let secret = [thing("Application", name, &[("KeyDescription", "[]", key)])];
        let secrets = of_apps("Update application – Certificates and secrets management ");
        self.record(at + TimeDelta::minutes(4), secrets, &developer, &secret);
        self.consent(name, at + TimeDelta::minutes(30), " User.Read openid profile");
    }

    /// An administrator adds an application of somebody else, with its certificate.
    fn introduce_bought_application(&mut self) {
        let at = time_of(BOUGHT_APPLICATION_ON, 13 * 3600);
        let administrator = by_number(ADMINISTRATOR);
        let name = "Travel Desk";
        let of_apps = |activity| change(activity, "ApplicationManagement", "Core Directory");
        let principal = [thing("ServicePrincipal", name, &[])];
        self.record(at, of_apps("Add service principal"), &administrator, &principal);
        let key = r#"["[KeyIdentifier=77aa,KeyType=AsymmetricX509Cert,KeyUsage=Sign,DisplayName=CN=Travel]"]"#;
        let certificate = [thing("ServicePrincipal", name, &[("KeyDescription", "[]", key)])];
        let added = of_apps("Add service principal credentials");
        self.record(at + TimeDelta::minutes(3), added, &administrator, &certificate);
        self.consent(name, at + TimeDelta::minutes(5), " User.Read email openid");
    }

    /// One press of a button, which the directory tells of three times.
    fn consent(&mut self, name: &str, at: DateTime<Utc>, scope: &str) {
        let administrator = by_number(ADMINISTRATOR);
        let of_apps = |activity| change(activity, "ApplicationManagement", "Core Directory");
        let application = thing("ServicePrincipal", name, &[]);
        let scopes = format!("\"{scope}\"");
        let client = format!("\"{}\"", application["id"].as_str().unwrap_or_default());
        let permits = [
            ("DelegatedPermissionGrant.Scope", "", scopes.as_str()),
            ("DelegatedPermissionGrant.ConsentType", "", "\"AllPrincipals\""),
            ("ServicePrincipal.ObjectID", "", client.as_str()),
        ];
        let granted = [thing("ServicePrincipal", "Microsoft Graph", &permits), application.clone()];
        let correlation = json!({"correlationId": super::shapes::guid(&mut self.random)});
        let granting = of_apps("Add delegated permission grant");
        let record = self.told(granting, &administrator, &granted);
        self.push(at, merged(&record, &correlation));
        let assigned = [thing("ServicePrincipal", name, &[("AppRole.Id", "", "\"0000\"")])];
        let assigning = of_apps("Add app role assignment grant to user");
        let record = self.told(assigning, &administrator, &assigned);
        self.push(at, merged(&record, &correlation));
        let permissions = format!(
            "\"[] => [[Id: 1, ClientId: 0, ConsentType: AllPrincipals, Scope: {scope}]];\""
        );
        let consented = [thing(
            "ServicePrincipal",
            name,
            &[
                ("ConsentContext.IsAdminConsent", "", "\"True\""),
                ("ConsentAction.Permissions", "", permissions.as_str()),
            ],
        )];
        let consenting = of_apps("Consent to application");
        let record = self.told(consenting, &administrator, &consented);
        self.push(at, merged(&record, &correlation));
    }

    fn record(
        &mut self,
        at: DateTime<Utc>,
        change: Change<'_>,
        initiator: &Value,
        targets: &[Value],
    ) {
        let record = self.told(change, initiator, targets);
        self.push(at, record);
    }

    /// An audit of a change.
    fn told(&mut self, change: Change<'_>, initiator: &Value, targets: &[Value]) -> Value {
        let mut record = self.shapes.audit(&mut self.random);
        record["activityDisplayName"] = change.activity.into();
        record["category"] = change.category.into();
        record["loggedByService"] = change.service.into();
        record["result"] = "success".into();
        record["resultReason"] = "".into();
        record["initiatedBy"] = initiator.clone();
        record["targetResources"] = targets.into();
        record
    }

    fn push(&mut self, at: DateTime<Utc>, mut record: Value) {
        record["id"] = super::shapes::guid(&mut self.random).into();
        self.made.add(Stream::DirectoryAudits, at, record);
        self.records += 1;
    }
}
