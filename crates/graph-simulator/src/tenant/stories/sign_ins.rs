//! The stories that sign-ins tell.

use super::{Planted, Plot, Scene, SignInPlot};
use crate::stream::Stream;
use crate::tenant::contoso::{MODERN_CLIENTS, USERS};
use crate::tenant::directory::REPORT_ONLY_FAILURE;
use crate::tenant::outcome::{
    BLOCKED, LEAKED_RISK, MFA_COMPLETED, MFA_DENIED, NO_RISK, Outcome, SUCCESS, TRAVEL_RISK,
    WRONG_PASSWORD,
};

/// The address that the password spray comes from.
const SPRAY_ADDRESS: &str = "203.0.113.66";
const REYKJAVIK: usize = 8;
const LAGOS: usize = 9;
const SYDNEY: usize = 10;
const OUTLOOK: usize = 1;
const PORTAL: usize = 3;
const VPN: usize = 14;
const BROWSER: usize = 0;
const SCRIPT: usize = 6;
const CI_DEPLOY: usize = 2;
const VIRTUAL_MACHINE: usize = 5;
const GRAPH: usize = 0;
const KEY_VAULT: usize = 4;
const PASSWORD_ALONE: Outcome = Outcome { details: None, access: "notApplied", ..SUCCESS };

impl Scene {
    /// 30 users from one address within ten minutes; the password of the last one is right.
    pub(super) fn password_spray(&self) -> Vec<Planted> {
        let mut attempts = Vec::new();
        for number in 1..=31 {
            let outcome =
                if number == 31 { Outcome { details: None, ..SUCCESS } } else { WRONG_PASSWORD };
            let user = (self.victim + 30 - number.min(30)) % USERS.len();
            let plot = SignInPlot { user, outcome, ..self.sign_in(REYKJAVIK, SPRAY_ADDRESS) };
            let plot = SignInPlot { client: SCRIPT, application: OUTLOOK, ..plot };
            attempts.push(self.at(20 * number, plot));
        }
        attempts
    }

    /// Two successes 40 minutes and half the planet apart.
    pub(super) fn impossible_travel(&self) -> Vec<Planted> {
        let far = SignInPlot { risk: TRAVEL_RISK, ..self.sign_in(SYDNEY, "203.0.113.151") };
        vec![self.at(0, self.sign_in(self.home, "198.51.100.23")), self.at(40 * 60, far)]
    }

    /// Fourteen refused prompts in half an hour, then a tired yes.
    pub(super) fn mfa_fatigue(&self) -> Vec<Planted> {
        let mut prompts = Vec::new();
        for number in 0..15 {
            let outcome = if number == 14 { MFA_COMPLETED } else { MFA_DENIED };
            let plot = SignInPlot { outcome, ..self.sign_in(LAGOS, "203.0.113.90") };
            prompts.push(self.at(125 * number, plot));
        }
        prompts
    }

    /// Twelve wrong passwords in as many minutes, then the right one.
    pub(super) fn brute_force(&self) -> Vec<Planted> {
        let mut attempts = Vec::new();
        for number in 0..13 {
            let outcome = if number == 12 { PASSWORD_ALONE } else { WRONG_PASSWORD };
            let plot = SignInPlot { outcome, ..self.sign_in(LAGOS, "203.0.113.91") };
            attempts.push(self.at(60 * number, plot));
        }
        attempts
    }

    pub(super) fn legacy_protocol(&self) -> Vec<Planted> {
        let plot = self.sign_in(self.home, "198.51.100.24");
        let plot = SignInPlot { client: SCRIPT, application: VPN, outcome: PASSWORD_ALONE, ..plot };
        (0..3).map(|number| self.at(900 * number, plot)).collect()
    }

    pub(super) fn portal_without_mfa(&self) -> Vec<Planted> {
        let plot = self.sign_in(self.home, "198.51.100.25");
        vec![self.at(0, SignInPlot { outcome: PASSWORD_ALONE, factors: Some(1), ..plot })]
    }

    pub(super) fn new_country(&self) -> Vec<Planted> {
        vec![self.at(0, self.sign_in(REYKJAVIK, "203.0.113.93"))]
    }

    pub(super) fn new_device(&self) -> Vec<Planted> {
        let client = (self.victim + 3) % MODERN_CLIENTS;
        vec![self.at(0, SignInPlot { client, ..self.sign_in(self.home, "198.51.100.26") })]
    }

    pub(super) fn policy_refusal(&self) -> Vec<Planted> {
        vec![
            self.at(0, SignInPlot { outcome: BLOCKED, ..self.sign_in(self.home, "198.51.100.27") }),
        ]
    }

    pub(super) fn report_only_refusal(&self) -> Vec<Planted> {
        let policy_result = Some(REPORT_ONLY_FAILURE);
        vec![self.at(0, SignInPlot { policy_result, ..self.sign_in(self.home, "198.51.100.28") })]
    }

    pub(super) fn risky_sign_in(&self) -> Vec<Planted> {
        vec![self.at(0, SignInPlot { risk: LEAKED_RISK, ..self.sign_in(LAGOS, "203.0.113.95") })]
    }

    pub(super) fn guest(&self) -> Vec<Planted> {
        vec![self.at(0, SignInPlot { is_guest: true, ..self.sign_in(self.home, "198.51.100.29") })]
    }

    /// The deployment robot's secret, used from elsewhere.
    pub(super) fn workload_moves(&self) -> Vec<Planted> {
        let plot = SignInPlot {
            workload: Some((CI_DEPLOY, GRAPH)),
            ..self.sign_in(LAGOS, "203.0.113.94")
        };
        vec![self.planted(Stream::ServicePrincipal, 0, Plot::SignIn(plot))]
    }

    pub(super) fn managed_identity_roams(&self) -> Vec<Planted> {
        let workload = Some((VIRTUAL_MACHINE, KEY_VAULT));
        let plot = SignInPlot { workload, ..self.sign_in(self.home, "192.0.2.15") };
        vec![self.planted(Stream::ManagedIdentity, 0, Plot::SignIn(plot))]
    }

    fn sign_in(&self, place: usize, address: &'static str) -> SignInPlot {
        SignInPlot {
            user: self.victim,
            place,
            address,
            application: PORTAL,
            client: BROWSER,
            outcome: SUCCESS,
            risk: NO_RISK,
            is_guest: false,
            factors: None,
            policy_result: None,
            workload: None,
        }
    }

    fn at(&self, seconds: usize, plot: SignInPlot) -> Planted {
        self.planted(Stream::InteractiveUser, seconds, Plot::SignIn(plot))
    }
}
