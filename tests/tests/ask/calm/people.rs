//! The people of the month: where they live, what they carry, and on which of its days something is
//! new to them.

use std::ops::Range;

use chrono::{DateTime, Timelike as _, Utc};

use super::is_weekend;

/// Number of people.
const PEOPLE: usize = 500;

/// A place that people sign in from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) city: &'static str,
    pub(super) country: &'static str,
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    /// Number of the autonomous system.
    pub(super) network: u32,
    /// Whether no policy asks for a second factor here.
    pub(super) asks_for_one_factor: bool,
}

const fn place(
    city: &'static str,
    country: &'static str,
    (latitude, longitude): (f64, f64),
    network: u32,
) -> Place {
    Place { city, country, latitude, longitude, network, asks_for_one_factor: false }
}

/// The office, behind one address.
const OFFICE: Place =
    Place { asks_for_one_factor: true, ..place("Berlin", "DE", (52.52, 13.405), 64_500) };
const OFFICE_ADDRESS: &str = "198.51.100.1";

/// The way out of the company's VPN: a server in another country, at a company that rents out
/// servers.
const VPN: Place = place("Amsterdam", "NL", (52.374, 4.89), 9009);
const VPN_ADDRESS: &str = "192.0.2.1";

/// Towns that people live in, with the networks of their homes.
const HOMES: [Place; 6] = [
    place("Berlin", "DE", (52.52, 13.405), 64_601),
    place("Potsdam", "DE", (52.4, 13.06), 64_602),
    place("Hamburg", "DE", (53.551, 9.994), 64_603),
    place("Leipzig", "DE", (51.34, 12.373), 64_601),
    place("Munich", "DE", (48.137, 11.575), 64_602),
    place("Vienna", "AT", (48.208, 16.373), 64_604),
];

/// Mobile networks, as their addresses are located: in the city of the carrier, wherever the phone
/// is.
const CARRIERS: [Place; 3] = [
    place("Frankfurt", "DE", (50.11, 8.682), 64_701),
    place("Munich", "DE", (48.137, 11.575), 64_702),
    place("Vienna", "AT", (48.208, 16.373), 64_703),
];

/// Hotels of those who travel.
const HOTELS: [Place; 5] = [
    place("Madrid", "ES", (40.417, -3.704), 64_801),
    place("New York", "US", (40.713, -74.006), 64_802),
    place("Singapore", "SG", (1.352, 103.82), 64_803),
    place("Stockholm", "SE", (59.329, 18.069), 64_804),
    place("Tokyo", "JP", (35.69, 139.692), 64_805),
];

/// A device of a person, registered and managed.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) system: &'static str,
    pub(super) agent: &'static str,
    pub(super) used: &'static str,
    pub(super) trust: &'static str,
    pub(super) is_phone: bool,
}

/// Place, address and device of a moment.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    pub(super) place: Place,
    pub(super) address: String,
    pub(super) device: Device,
}

/// A journey: the days of leaving and of coming back, and the hotel.
#[derive(Debug, Clone, Copy)]
struct Trip {
    leaves: u64,
    returns: u64,
    hotel: usize,
}

/// A person. Days are counted back from today.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) number: usize,
    pub(super) first_day: u64,
    /// The last day at work.
    pub(super) last_day: u64,
    /// The day on which a new phone takes the place of the old one.
    pub(super) new_phone_on: Option<u64>,
    /// The day on which the help desk resets the password.
    pub(super) reset_on: Option<u64>,
    trip: Option<Trip>,
}

/// Everybody: twenty get a new phone, fifteen travel, five start, five leave, three forget their
/// password.
pub(super) fn all() -> Vec<Person> {
    (0..PEOPLE).map(Person::new).collect()
}

/// The day that belongs to each so many-th person from a first one: one in each step, the first of
/// them on `from`.
fn every(number: usize, first: usize, step: usize, count: usize) -> Option<u64> {
    let place = number.checked_sub(first).filter(|past| past.is_multiple_of(step))? / step;
    u64::try_from(place).ok().filter(|_| place < count)
}

impl Person {
    fn new(number: usize) -> Self {
        let trip = every(number, 31, 29, 15).map(|place| Trip {
            leaves: 27 - place * 3 / 2,
            returns: 25 - place * 3 / 2 - place % 3,
            hotel: usize::try_from(place).unwrap_or(0) % HOTELS.len(),
        });
        Self {
            number,
            first_day: every(number, 40, 100, 5).map_or(u64::MAX, |place| working(3 + 5 * place)),
            last_day: every(number, 41, 100, 5).map_or(0, |place| working(4 + 5 * place)),
            new_phone_on: every(number, 12, 23, 20).map(|place| 28 - place * 27 / 20),
            reset_on: every(number, 70, 150, 3).map(|place| working(2 + 9 * place)),
            trip,
        }
    }

    pub(super) fn display_name(&self) -> String {
        format!("Person {}", self.number)
    }

    pub(super) fn principal_name(&self) -> String {
        format!("person-{}@contoso.example", self.number)
    }

    pub(super) fn id(&self) -> String {
        format!("00000000-0000-4000-9000-{:012}", self.number)
    }

    /// Whether the person manages the directory.
    pub(super) fn is_administrator(&self) -> bool {
        self.number < 5
    }

    pub(super) fn is_developer(&self) -> bool {
        self.number % 20 == 7
    }

    pub(super) fn is_employed(&self, ago: u64) -> bool {
        (self.last_day..=self.first_day).contains(&ago)
    }

    /// Hours of the day in which a laptop is open, UTC.
    pub(super) fn hours_with_laptop(&self, ago: u64) -> Range<i64> {
        match self.trip {
            Some(trip) if [trip.leaves, trip.returns].contains(&ago) => 5..7,
            _ => 7..17,
        }
    }

    pub(super) fn hours_with_phone(&self, ago: u64) -> Range<i64> {
        match self.trip {
            Some(trip) if [trip.leaves, trip.returns].contains(&ago) => 5..7,
            _ => 6..21,
        }
    }

    /// Where and with what the person is seen at a moment.
    pub(super) fn seen(
        &self,
        random: &mut fastrand::Rng,
        ago: u64,
        at: DateTime<Utc>,
        on_phone: bool,
    ) -> Sight {
        let device = if on_phone { self.phone(ago) } else { self.laptop() };
        let is_away = self.trip.filter(|trip| (trip.returns..trip.leaves).contains(&ago));
        // A laptop goes by the phone now and then, but not abroad.
        let share = if on_phone { 8 } else { u32::from(is_away.is_none()) };
        let is_on_carrier = random.u32(..20) < share;
        let number = u64::try_from(self.number).unwrap_or(0);
        let goes_to_office =
            !is_weekend(ago) && (number + ago).is_multiple_of(self.days_between_office());
        let uses_vpn =
            !on_phone && (number + ago).is_multiple_of(3) && (9..12).contains(&at.hour());
        let (place, address) = match is_away {
            _ if is_on_carrier => self.mobile(random),
            Some(trip) => (HOTELS[trip.hotel], format!("203.0.113.{}", 10 + trip.hotel * 20)),
            None if goes_to_office && (7..16).contains(&at.hour()) => {
                return Sight { device, ..self.in_the_office() };
            }
            None if uses_vpn => (VPN, VPN_ADDRESS.to_owned()),
            None => return Sight { device, ..self.at_home() },
        };
        Sight { place, address, device }
    }

    pub(super) fn in_the_office(&self) -> Sight {
        Sight { place: OFFICE, address: OFFICE_ADDRESS.to_owned(), device: self.laptop() }
    }

    pub(super) fn at_home(&self) -> Sight {
        let address = format!("10.{}.{}.7", self.number / 250, self.number % 250);
        Sight { place: HOMES[self.number % HOMES.len()], address, device: self.laptop() }
    }

    /// An address of the carrier, another one each time.
    fn mobile(&self, random: &mut fastrand::Rng) -> (Place, String) {
        let carrier =
            if self.number % HOMES.len() == 5 { 2 } else { self.number / HOMES.len() % 2 };
        let [second, third, last] = [random.u8(64..128), random.u8(..), random.u8(1..)];
        (CARRIERS[carrier], format!("100.{second}.{third}.{last}"))
    }

    /// Some come twice a week, those who live far away every ten days.
    fn days_between_office(&self) -> u64 {
        if self.number % HOMES.len() < 2 { 2 } else { 10 }
    }

    pub(super) fn laptop(&self) -> Device {
        Device {
            id: format!("00000000-0000-4000-a000-{:012}", self.number),
            name: format!("LAPTOP-{}", self.number),
            system: "Windows 11",
            agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like \
                    Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            used: "Browser",
            trust: "Azure AD joined",
            is_phone: false,
        }
    }

    pub(super) fn phone(&self, ago: u64) -> Device {
        let is_new = self.new_phone_on.is_some_and(|day| ago <= day);
        let is_apple = self.number.is_multiple_of(2);
        let kind = if is_new { "b001" } else { "b000" };
        Device {
            id: format!("00000000-0000-4000-{kind}-{:012}", self.number),
            name: format!("Phone {}", self.number),
            system: if is_apple { "Ios 18.3" } else { "Android 15" },
            agent: if is_apple {
                "Outlook-iOS/2.0"
            } else if self.number % 10 == 1 {
                "okhttp/4.12.0"
            } else {
                "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 9)"
            },
            used: "Mobile Apps and Desktop clients",
            trust: "Azure AD registered",
            is_phone: true,
        }
    }
}

/// The day itself, or the next before it that is none of the weekend.
fn working(ago: u64) -> u64 {
    if is_weekend(ago) { ago + 2 } else { ago }
}
