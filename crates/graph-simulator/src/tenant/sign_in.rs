//! Sign-ins: the facts of one, drawn from its seed, and the values it puts into a template.

mod blocks;
mod fields;

use crate::guid;
use crate::stream::{ApiVersion, Stream};
use crate::tenant::contoso::{
    APPLICATIONS, Application, CLIENTS, MODERN_CLIENTS, OWN_LOCATIONS, RESOURCES, USERS, WORKLOADS,
};
use crate::tenant::directory::Directory;
use crate::tenant::outcome::{NO_RISK, Outcome, Risk, SUCCESS, TRAVEL_RISK};
use crate::tenant::record_form::RecordForm;
use crate::tenant::stories::SignInPlot;
use crate::tenant::template::Template;
use crate::tenant::timeline::{Entry, Variant};

/// The facts of one sign-in.
#[derive(Debug)]
pub(crate) struct SignIn {
    form: RecordForm,
    stream: Stream,
    time: i64,
    digits: u8,
    id: u128,
    correlation: u128,
    user: usize,
    application: Application,
    workload: usize,
    resource: Application,
    place: usize,
    address: Option<&'static str>,
    client: usize,
    outcome: Outcome,
    risk: Risk,
    first_policy: usize,
    policies: usize,
    policy_results: u64,
    first_result: Option<usize>,
    steps: usize,
    is_guest: bool,
    /// Everything below is drawn while the record is written.
    random: fastrand::Rng,
}

/// The templates of sign-ins, one per form and kind of record.
#[derive(Debug)]
pub(crate) struct SignInTemplates {
    templates: Vec<Template<SignIn>>,
}

impl SignInTemplates {
    pub(crate) fn new() -> Self {
        let texts = [
            include_str!("../../records/v1-user.json"),
            include_str!("../../records/beta-user.json"),
            include_str!("../../records/beta-workload.json"),
        ];
        let mut templates = Vec::new();
        for text in texts {
            for masked in [false, true] {
                templates.push(Template::cut(text, fields::FIELDS, masked));
            }
        }
        Self { templates }
    }

    /// Writes the sign-in behind an entry.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        entry: &Entry,
        stream: Stream,
        plot: Option<&SignInPlot>,
        form: RecordForm,
        directory: &Directory,
    ) {
        let kind = match (form.version, stream) {
            (ApiVersion::V1, _) => 0,
            (ApiVersion::Beta, Stream::ServicePrincipal | Stream::ManagedIdentity) => 2,
            (ApiVersion::Beta, _) => 1,
        };
        let mut sign_in = SignIn::draw(entry, stream, form, directory.seed);
        if directory.is_calm {
            sign_in.calm_down();
        }
        if let Some(plot) = plot {
            sign_in.follow(plot);
        }
        sign_in.vary(entry.variant);
        self.templates[2 * kind + usize::from(form.masked)].write(out, &mut sign_in, directory);
    }
}

impl SignIn {
    /// Writes a GUID that occurs nowhere else.
    fn write_fresh_guid(&mut self, out: &mut Vec<u8>) {
        guid::write(out, self.random.u128(..));
    }

    /// Ordinary facts. The same entry always has the same, whatever the form.
    fn draw(entry: &Entry, stream: Stream, form: RecordForm, seed: u64) -> Self {
        let identity =
            [seed, u64::from(stream.number()), u64::from(entry.origin), u64::from(entry.number)];
        let mut random = fastrand::Rng::with_seed(guid::mix(&identity));
        let user = skewed(&mut random, USERS.len());
        let workload = skewed(&mut random, WORKLOADS.len());
        let is_workload = matches!(stream, Stream::ServicePrincipal | Stream::ManagedIdentity);
        let place =
            if random.u8(..) < 200 { USERS[user].place } else { random.usize(..OWN_LOCATIONS) };
        Self {
            form,
            stream,
            time: entry.time,
            digits: entry.digits,
            id: random.u128(..),
            correlation: random.u128(..),
            user,
            application: APPLICATIONS[skewed(&mut random, APPLICATIONS.len())],
            workload,
            resource: RESOURCES[if is_workload {
                workload % RESOURCES.len()
            } else {
                skewed(&mut random, RESOURCES.len())
            }],
            place,
            address: None,
            client: (user + random.usize(..3)) % CLIENTS.len(),
            outcome: if is_workload { SUCCESS } else { Outcome::draw(random.f64()) },
            risk: if is_workload { NO_RISK } else { Risk::draw(random.f64()) },
            first_policy: random.usize(..3),
            policies: if is_workload { random.usize(2..6) } else { random.usize(4..12) },
            policy_results: random.u64(..),
            first_result: None,
            steps: random.usize(1..4),
            is_guest: false,
            random,
        }
    }

    /// Leaves nothing that stands out: success with MFA, from the usual place, with one modern
    /// client.
    fn calm_down(&mut self) {
        self.place = USERS[self.user].place;
        self.client = self.user % MODERN_CLIENTS;
        (self.outcome, self.risk) = (SUCCESS, NO_RISK);
        self.steps = 2;
    }

    fn follow(&mut self, plot: &SignInPlot) {
        self.user = plot.user;
        self.application = APPLICATIONS[plot.application];
        self.place = plot.place;
        self.address = Some(plot.address);
        self.client = plot.client;
        self.outcome = plot.outcome;
        self.risk = plot.risk;
        self.is_guest = plot.is_guest;
        self.first_result = plot.policy_result;
        self.steps = plot.factors.unwrap_or(self.steps);
        if let Some((workload, resource)) = plot.workload {
            (self.workload, self.resource) = (workload, RESOURCES[resource]);
        }
    }

    fn vary(&mut self, variant: Variant) {
        let half = self.policies / 2;
        match variant {
            Variant::Original | Variant::Repeat => {}
            Variant::Changed => {
                self.outcome =
                    Outcome { details: Some("MFA completed, folded in later"), ..SUCCESS };
                self.steps += 1;
            }
            Variant::WithRisk => self.risk = TRAVEL_RISK,
            Variant::FirstPolicies => self.policies = half,
            Variant::LastPolicies => {
                self.first_policy += half;
                self.policies -= half;
            }
        }
    }
}

/// Some are far busier than others.
fn skewed(random: &mut fastrand::Rng, count: usize) -> usize {
    random.usize(..count).min(random.usize(..count))
}
