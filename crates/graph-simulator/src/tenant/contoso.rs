//! The people, applications, places and devices of Contoso. All texts are ready to stand inside
//! JSON strings.

use crate::guid;

/// A user: display name, the local part of the sign-in name, and the place they work from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) name: &'static str,
    pub(crate) local: &'static str,
    pub(crate) place: usize,
}

/// An application or resource with its well-known or invented id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Application {
    pub(crate) name: &'static str,
    pub(crate) id: &'static str,
}

/// A city with its coordinates, network and the prefix of its addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Location {
    pub(crate) city: &'static str,
    pub(crate) state: &'static str,
    pub(crate) country: &'static str,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) network: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) system_number: u32,
}

/// A device and the program on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) system: &'static str,
    pub(crate) browser: &'static str,
    pub(crate) used: &'static str,
    pub(crate) agent: &'static str,
    pub(crate) trust: &'static str,
    pub(crate) managed: bool,
}

const fn user(name: &'static str, local: &'static str, place: usize) -> User {
    User { name, local, place }
}

const fn application(name: &'static str, id: &'static str) -> Application {
    Application { name, id }
}

pub(crate) const USERS: [User; 40] = [
    user("Zoë Åström", "zoe.astrom", 0),
    user("Jean-Luc Marchand", "jean-luc.marchand", 1),
    user("山田 太郎", "taro.yamada", 2),
    user("Siobhán O'Brien", "siobhan.obrien", 3),
    user("Mateusz Wójcik", "mateusz.wojcik", 4),
    user("Renée Müller", "renee.mueller", 5),
    user("Anna \\\"Annie\\\" Schmidt", "annie.schmidt", 5),
    user("Тест Пользователь", "test.user", 4),
    user("Priya Raghunathan", "priya.raghunathan", 6),
    user("Oluwaseun Adébáyò", "oluwaseun.adebayo", 3),
    user("Ji\\u0159í Dvo\\u0159ák", "jiri.dvorak", 4),
    user("Carmen Núñez", "carmen.nunez", 7),
    user("Liam Walsh", "liam.walsh", 3),
    user("Sofie Lindqvist", "sofie.lindqvist", 0),
    user("Marco Bianchi", "marco.bianchi", 1),
    user("Ayşe Yıldız", "ayse.yildiz", 5),
    user("Grace Kim", "grace.kim", 2),
    user("Tomás Ferreira", "tomas.ferreira", 7),
    user("Ingrid Halvorsen", "ingrid.halvorsen", 0),
    user("Nikos Papadopoulos", "nikos.papadopoulos", 4),
    user("Chloé Dubois", "chloe.dubois", 1),
    user("Dieter Kößler", "dieter.koessler", 5),
    user("Fatima Al-Sayed", "fatima.alsayed", 6),
    user("Henrik Sørensen", "henrik.sorensen", 0),
    user("Isabella Rossi", "isabella.rossi", 1),
    user("Jakub Nowak", "jakub.nowak", 4),
    user("Katarína Horváthová", "katarina.horvathova", 4),
    user("Lucas van den Berg", "lucas.vandenberg", 5),
    user("Mei Tanaka", "mei.tanaka", 2),
    user("Noah Fischer", "noah.fischer", 5),
    user("Olga Ivanova", "olga.ivanova", 4),
    user("Pedro Álvarez", "pedro.alvarez", 7),
    user("Quinn Harper", "quinn.harper", 3),
    user("Rahul Deshpande", "rahul.deshpande", 6),
    user("Sarah Johnson\\tCFO", "sarah.johnson", 3),
    user("Théo Laurent", "theo.laurent", 1),
    user("Ursula Brandt", "ursula.brandt", 5),
    user("Viktor Kovács", "viktor.kovacs", 4),
    user("Wanjiru Kamau 🦁", "wanjiru.kamau", 3),
    user("Xavier Puig", "xavier.puig", 7),
];

pub(crate) const APPLICATIONS: [Application; 15] = [
    application("Microsoft Teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264"),
    application("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000"),
    application("Office 365 SharePoint Online", "00000003-0000-0ff1-ce00-000000000000"),
    application("Azure Portal", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"),
    application("Microsoft Office", "d3590ed6-52b3-4102-aeff-aad2292ab01c"),
    application("OneDrive SyncEngine", "ab9b8c07-8f02-4f72-87fa-80105867a763"),
    application("Microsoft Azure CLI", "04b07795-8ddb-461a-bbee-02f9e1bf7b46"),
    application("Graph Explorer", "de8bc8b5-d9f9-48b1-a8ad-b748da725064"),
    application("My Apps", "2793995e-0a7d-40d7-bd35-6968ba142197"),
    application("Windows Sign In", "38aa3b87-a06d-4817-b275-7a316988d93b"),
    application("Contoso Expenses", "4a7c1d3e-0b62-4f8a-9c15-7d2e6f8a9b01"),
    application("Contoso HR — Büro", "5b8d2e4f-1c73-4a9b-8d26-8e3f7a9b0c12"),
    application("Salesforce", "6c9e3f50-2d84-4bac-9e37-9f408bac1d23"),
    application("Slack", "7daf4061-3e95-4cbd-af48-a0519cbd2e34"),
    application("Contoso VPN (legacy)", "8eb05172-4fa6-4dce-b059-b162adce3f45"),
];

/// Workloads that sign in with a credential of their own.
pub(crate) const WORKLOADS: [Application; 6] = [
    application("log-export", "9f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a"),
    application("backup-runner", "a0c16283-50b7-4edf-816a-c273bedf4056"),
    application("ci-deploy", "b1d27394-61c8-4fe0-927b-d384cfe05167"),
    application("hr-sync", "c2e384a5-72d9-4af1-a38c-e495daf16278"),
    application("invoice-robot", "d3f495b6-83ea-4b02-b49d-f5a6eb027389"),
    application("vm-prod-weu-01", "e405a6c7-94fb-4c13-85ae-06b7fc13849a"),
];

pub(crate) const RESOURCES: [Application; 5] = [
    application("Microsoft Graph", "00000003-0000-0000-c000-000000000000"),
    application("Windows Azure Active Directory", "00000002-0000-0000-c000-000000000000"),
    application("Office 365 Exchange Online", "00000002-0000-0ff1-ce00-000000000000"),
    application("Office 365 SharePoint Online", "00000003-0000-0ff1-ce00-000000000000"),
    application("Azure Key Vault", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"),
];

const fn location(
    names: [&'static str; 4],
    coordinates: (f64, f64),
    prefix: &'static str,
    system_number: u32,
) -> Location {
    let [city, state, country, network] = names;
    let (latitude, longitude) = coordinates;
    Location { city, state, country, latitude, longitude, network, prefix, system_number }
}

/// Offices and homes, then the places that only attackers sign in from.
pub(crate) const LOCATIONS: [Location; 11] = [
    location(
        ["Göteborg", "Västra Götaland", "SE", "Göteborg office"],
        (57.70887, 11.97456),
        "198.51.100.",
        64500,
    ),
    location(
        ["Lyon", "Auvergne-Rhône-Alpes", "FR", "Lyon office"],
        (45.74846, 4.84671),
        "198.51.100.",
        64501,
    ),
    location(
        ["東京", "東京都", "JP", "Tokyo office"],
        (35.6895, 139.69171),
        "2001:db8:4a::",
        64502,
    ),
    location(["Dublin", "", "IE", "Dublin office"], (53.33306, -6.24889), "192.0.2.", 64503),
    location(
        ["Kraków", "Małopolskie", "PL", "Kraków office"],
        (50.06143, 19.93658),
        "192.0.2.",
        64504,
    ),
    location(
        ["Zürich", "Zürich", "CH", "Büro, Zürich"],
        (47.36667, 8.55),
        "2001:db8:85a3::8a2e:",
        64505,
    ),
    location(
        ["Pune", "Maharashtra", "IN", "Pune office"],
        (18.51957, 73.85535),
        "198.51.100.",
        4_200_000_123,
    ),
    location(["São Paulo", "São Paulo", "BR", ""], (-23.5475, -46.63611), "192.0.2.", 64507),
    location(
        ["Reykjavík", "Höfuðborgarsvæði", "IS", ""],
        (64.14648, -21.94083),
        "203.0.113.",
        64508,
    ),
    location(["Lagos", "Lagos", "NG", ""], (6.45407, 3.39467), "203.0.113.", 64509),
    location(["Sydney", "New South Wales", "AU", ""], (-33.86785, 151.20732), "203.0.113.", 64510),
];

/// Number of [`LOCATIONS`], from the first, that people of Contoso work from.
pub(crate) const OWN_LOCATIONS: usize = 8;

/// Number of [`CLIENTS`], from the first, that know a second factor.
pub(crate) const MODERN_CLIENTS: usize = 6;

const fn client(names: [&'static str; 5], managed: bool) -> Client {
    let [system, browser, used, agent, trust] = names;
    Client { system, browser, used, agent, trust, managed }
}

pub(crate) const CLIENTS: [Client; 7] = [
    client(
        [
            "Windows 11",
            "Edge 131.0.0",
            "Browser",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            "Azure AD joined",
        ],
        true,
    ),
    client(
        [
            "MacOs 15.1",
            "Safari 18.1",
            "Browser",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like \
             Gecko) Version/18.1 Safari/605.1.15",
            "Azure AD registered",
        ],
        true,
    ),
    client(["Ios 18.3", "", "Mobile Apps and Desktop clients", "", "Azure AD registered"], false),
    client(
        [
            "Windows 10",
            "Rich Client 5.2.1.0",
            "Mobile Apps and Desktop clients",
            "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)",
            "Hybrid Azure AD joined",
        ],
        true,
    ),
    client(
        [
            "Android 15",
            "Chrome Mobile 131.0.0",
            "Browser",
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/131.0.0.0 Mobile Safari/537.36",
            "",
        ],
        false,
    ),
    client(
        [
            "Linux",
            "Firefox 133.0",
            "Browser",
            "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
            "",
        ],
        false,
    ),
    client(
        [
            "",
            "Python Requests 2.32",
            "Other clients; IMAP",
            "python-requests/2.32.3 \\\"test\\\"",
            "",
        ],
        false,
    ),
];

/// Names of the conditional access policies of the tenant.
pub(crate) const POLICIES: [&str; 18] = [
    "CA001: Require MFA for all users",
    "CA002: Block legacy authentication",
    "CA003: Require compliant device for Exchange",
    "CA004: Sign-in frequency, Azure management",
    "CA005: Geräte außerhalb der EU sperren",
    "CA006: Require phishing-resistant MFA for admins",
    "CA007: Pilot, report only",
    "CA008: Guests: terms of use",
    "CA009: Block device code flow",
    "CA010: App protection on mobile",
    "CA011: Risky sign-ins need MFA",
    "CA012: Securing security info registration",
    "CA013: No persistent browser session",
    "CA014: Require hybrid join (legacy VPN)",
    "CA015: Finance — trusted locations only",
    "CA016: Workload identities, known networks",
    "CA017: \\\"Break glass\\\" exclusions",
    "CA018: Insider risk, block downloads",
];

/// The directory object id of a user.
pub(crate) fn user_id(seed: u64, user: usize) -> String {
    guid::of(&[seed, 0x0005_E201, user as u64])
}

/// The service principal id of an application in this tenant.
pub(crate) fn principal_id(seed: u64, application: &str) -> String {
    let name =
        application.bytes().map(u64::from).fold(seed, |state, byte| guid::mix(&[state, byte]));
    guid::of(&[name, 0x59])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_can_stand_in_json() {
        let names = USERS
            .iter()
            .map(|user| user.name)
            .chain(POLICIES)
            .chain(CLIENTS.iter().map(|c| c.agent));
        for text in names {
            assert!(serde_json::from_str::<String>(&format!("\"{text}\"")).is_ok(), "{text}");
        }
    }
}
