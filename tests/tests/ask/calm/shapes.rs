//! The records that the people of the month leave, in the shape of those that the simulator serves.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use entratrail::log::EventType;
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use super::people::{Person, Sight};
use crate::archive::Collected;
use crate::made::merge;

/// Records of the simulator that are taken in turn, of each stream.
const MOST_OF_A_STREAM: usize = 60;

/// Applications of everybody, and the one for administrators.
const APPLICATIONS: [(&str, &str); 7] = [
    ("Microsoft Teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264"),
    ("Microsoft Office", "d3590ed6-52b3-4102-aeff-aad2292ab01c"),
    ("OneDrive SyncEngine", "ab9b8c07-8f02-4f72-87fa-80105867a763"),
    ("Office 365 SharePoint Online", "00000003-0000-0ff1-ce00-000000000000"),
    ("My Apps", "2793995e-0a7d-40d7-bd35-6968ba142197"),
    ("Contoso Expenses", "4a7c1d3e-0b62-4f8a-9c15-7d2e6f8a9b01"),
    ("Salesforce", "6c9e3f50-2d84-4bac-9e37-9f408bac1d23"),
];
const AZURE_PORTAL: (&str, &str) = ("Azure Portal", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c");
const AZURE_CLI: (&str, &str) = ("Microsoft Azure CLI", "04b07795-8ddb-461a-bbee-02f9e1bf7b46");

/// The end of a sign-in that did not succeed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    code: u32,
    reason: &'static str,
}

pub(super) const WRONG_PASSWORD: Ending = Ending {
    code: 50126,
    reason: "Error validating credentials due to invalid username or password.",
};
pub(super) const PROMPT_NOT_ANSWERED: Ending =
    Ending { code: 500_121, reason: "Authentication failed during strong authentication request." };
pub(super) const KEEP_ME_SIGNED_IN: Ending =
    Ending { code: 50140, reason: "This error occurred due to 'Keep me signed in' interrupt." };
pub(super) const PASSWORD_EXPIRED: Ending =
    Ending { code: 50055, reason: "The password is expired." };
pub(super) const ACCOUNT_DISABLED: Ending =
    Ending { code: 50057, reason: "The user account is disabled." };
pub(super) const GRANT_REVOKED: Ending =
    Ending { code: 50173, reason: "The provided grant has expired due to it being revoked." };

impl Ending {
    /// Members of a record that ends so.
    pub(super) fn json(self) -> Value {
        json!({
            "status": {"errorCode": self.code, "failureReason": self.reason},
            "conditionalAccessStatus": "notApplied"
        })
    }
}

/// Records of the simulator, as Graph serves them.
#[derive(Debug)]
pub(super) struct Shapes {
    people: Vec<Value>,
    service_principals: Vec<Value>,
    managed_identities: Vec<Value>,
    audits: Vec<Value>,
}

impl Shapes {
    /// Takes them from the raw objects of an archive.
    pub(super) fn of(archive: &Collected) -> Self {
        let of = |folder: &str| records(&archive.folder().join("raw").join(folder));
        Self {
            people: of("sign-ins/event_type=interactiveUser"),
            service_principals: of("sign-ins/event_type=servicePrincipal"),
            managed_identities: of("sign-ins/event_type=managedIdentity"),
            audits: of("directory-audits"),
        }
    }

    /// A successful sign-in of a person, where and with what they are seen.
    pub(super) fn sign_in(
        &self,
        random: &mut fastrand::Rng,
        person: &Person,
        sight: &Sight,
        ago: u64,
    ) -> Value {
        let (name, id) = application(random, person, sight);
        let place = &sight.place;
        let device = &sight.device;
        let own = json!({
            "userDisplayName": person.display_name(),
            "userPrincipalName": person.principal_name(),
            "signInIdentifier": person.principal_name(),
            "userId": person.id(),
            "appDisplayName": name, "appId": id,
            "ipAddress": sight.address, "autonomousSystemNumber": place.network,
            "location": {
                "city": place.city, "state": "", "countryOrRegion": place.country,
                "geoCoordinates": {"latitude": place.latitude, "longitude": place.longitude}
            },
            "deviceDetail": {
                "deviceId": device.id, "displayName": device.name, "operatingSystem": device.system,
                "browser": "", "isCompliant": true, "isManaged": true, "trustType": device.trust
            },
            "userAgent": device.agent, "clientAppUsed": device.used,
            "sessionId": format!("session-{}-{ago}", device.id),
            "networkLocationDetails": []
        });
        let mut record = random.choice(&self.people).expect("the simulator has people").clone();
        merge(&mut record, &own);
        if place.asks_for_one_factor && !person.is_administrator() && name != AZURE_CLI.0 {
            merge(&mut record, &single_factor());
        }
        record
    }

    /// A sign-in of an application or of a managed identity.
    pub(super) fn workload(&self, random: &mut fastrand::Rng, event_type: EventType) -> Value {
        let served = match event_type {
            EventType::ManagedIdentity => &self.managed_identities,
            _ => &self.service_principals,
        };
        random.choice(served).expect("the simulator has workloads").clone()
    }

    /// A change of the directory that changes nothing for anybody.
    pub(super) fn audit(&self, random: &mut fastrand::Rng) -> Value {
        random.choice(&self.audits).expect("the simulator has changes").clone()
    }
}

/// Members of a sign-in of which no policy asks for more than a password.
pub(super) fn single_factor() -> Value {
    json!({
        "authenticationRequirement": "singleFactorAuthentication",
        "conditionalAccessStatus": "notApplied", "authenticationDetails": []
    })
}

fn application(
    random: &mut fastrand::Rng,
    person: &Person,
    sight: &Sight,
) -> (&'static str, &'static str) {
    match random.u32(..10) {
        0..3 if person.is_administrator() && !sight.device.is_phone => AZURE_PORTAL,
        0..2 if person.is_developer() && !sight.device.is_phone => AZURE_CLI,
        _ => APPLICATIONS[random.usize(..APPLICATIONS.len())],
    }
}

/// An id as Graph writes them.
pub(super) fn guid(random: &mut fastrand::Rng) -> String {
    let [high, middle, low] = [random.u32(..), random.u32(..), random.u32(..)];
    format!("{high:08x}-{:04x}-4{:03x}-8000-{low:012x}", middle >> 16, middle & 0xFFF)
}

/// The first records below a folder of raw objects.
fn records(folder: &Path) -> Vec<Value> {
    let mut records = Vec::new();
    for path in files(folder) {
        let file = std::fs::File::open(&path).expect("a raw object can be read");
        let mut text = String::new();
        MultiGzDecoder::new(file).read_to_string(&mut text).expect("a raw object is gzipped text");
        records.extend(
            text.lines().map(|line| serde_json::from_str(line).expect("a line is a record")),
        );
        if records.len() >= MOST_OF_A_STREAM {
            break;
        }
    }
    records.truncate(MOST_OF_A_STREAM);
    records
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the stream was read");
    let mut paths: Vec<_> =
        entries.map(|entry| entry.expect("a folder can be read").path()).collect();
    paths.sort();
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    paths.into_iter().flat_map(below).collect()
}
