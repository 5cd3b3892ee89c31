//! Sixty days in the life of a tenant, one scheduled run a day: everything that came late is stored, and nothing alarms but
//! what an outage or a short read really left unproved. `LIFETIME_SEEDS=20` plays as many seeds of each tenant.

use chrono::{DateTime, Days, TimeDelta, Utc};
use entratrail_tests::simulated_time::block_on;
use entratrail_tests::world::World;
use std::ops::Range;

/// Days that are played.
const DAYS: u64 = 60;
/// Hours above which `OldestUnverifiedHours` alarms, as `template.yaml` says.
const ALARM_HOURS: i64 = 120;
/// Age at which nothing of a day is missing any more: the last look at a day comes five days after its end.
const SETTLED: TimeDelta = TimeDelta::days(7);

/// A tenant, and what of its life may alarm.
struct Tenant {
    name: &'static str,
    /// What the scenario says beside its seed and clock.
    scenario: &'static str,
    /// Whether an `OldestUnverifiedHours` above the threshold is a true alarm.
    may_be_late: bool,
    /// Whether a window may expire, or agree with itself without all of its records.
    may_expire: bool,
    /// Days on which no run takes place.
    outage: Range<u64>,
}

const USUAL: Tenant = Tenant { name: "", scenario: "", may_be_late: false, may_expire: false, outage: 0..0 };

const TENANTS: [Tenant; 8] = [
    Tenant {
        name: "busy, with P1",
        scenario: "[[volume]]\nstream = 'nonInteractiveUser'\nfrom_day = -40\nto_day = 60\nper_day = 25\nlate = { share = 0.1, up_to_minutes = 600 }\nchanged = { share = 0.05, after_minutes = 300 }\n",
        ..USUAL
    },
    Tenant {
        name: "quiet, with P1",
        scenario: "[[volume]]\nstream = 'nonInteractiveUser'\nfrom_day = -40\nto_day = 60\nper_day = 1\nevery_days = 10\n",
        ..USUAL
    },
    Tenant {
        name: "the audits of a Free tenant",
        scenario: "tenant.licence = 'Free'\ncollect.log = 'directory-audits'\n[[volume]]\nstream = 'directoryAudits'\nfrom_day = -40\nto_day = 60\nper_day = 8\n",
        ..USUAL
    },
    Tenant {
        name: "brand-new",
        scenario: "[[volume]]\nstream = 'nonInteractiveUser'\nfrom_day = 0\nto_day = 60\nper_day = 8\n",
        ..USUAL
    },
    Tenant {
        name: "retention a little shorter than promised",
        scenario: "tenant.retention_days = 29\n[[volume]]\nstream = 'nonInteractiveUser'\nfrom_day = -40\nto_day = 60\nper_day = 8\n",
        ..USUAL
    },
    Tenant {
        name: "records one to four days late",
        scenario: "[[volume]]\nstream = 'nonInteractiveUser'\nfrom_day = -40\nto_day = 60\nper_day = 15\nlate_by_hours = { share = 0.05, from = 24, up_to = 96 }\n",
        // A day that records came to as late as that is proved only when none comes any more.
        may_be_late: true,
        ..USUAL
    },
    Tenant {
        name: "short reads",
        scenario: "limits.largest_page = 4\n[[volume]]\nstream = 'nonInteractiveUser'\nfrom_day = -40\nto_day = 60\nper_day = 12\n[[faults.chain]]\nkind = 'ends_early'\nafter = 1\nshare = 0.15\n",
        may_be_late: true,
        may_expire: true,
        ..USUAL
    },
    Tenant {
        name: "an outage of twelve days",
        scenario: "[[volume]]\nstream = 'nonInteractiveUser'\nfrom_day = -40\nto_day = 60\nper_day = 12\n",
        may_be_late: true,
        outage: 20..32,
        ..USUAL
    },
];

#[test]
fn sixty_days_of_any_tenant_alarm_only_what_is_unproved_and_keep_what_came_late() {
    let seeds = std::env::var("LIFETIME_SEEDS").map_or(1, |seeds| seeds.parse().unwrap());
    std::thread::scope(|threads| {
        for part in 0..2 {
            let tenants = TENANTS.iter().skip(part).step_by(2);
            threads.spawn(move || {
                tenants.for_each(|tenant| (0..seeds).for_each(|seed| block_on(live(tenant, seed))));
            });
        }
    });
}

async fn live(tenant: &Tenant, seed: u64) {
    let world = World::of(&format!(
        r#"
name = "{}"
seed = {seed}
remember_served = false
collect.environment = {{ SIGN_IN_EVENT_TYPES = "nonInteractiveUser" }}
clock.now = "2026-11-23T01:15:00Z"
{}"#,
        tenant.name, tenant.scenario
    ))
    .await;
    let first: DateTime<Utc> = "2026-11-23T01:15:00Z".parse().unwrap();
    for day in (0..DAYS).filter(|day| !tenant.outage.contains(day)) {
        world.simulator.set_now(first + Days::new(day));
        let run = world.run().await.unwrap();
        let place = format!("{}, seed {seed}, day {day}", tenant.name);
        assert!(run.error.is_none(), "{place}: {:?}", run.error);
        let hours = run.vitals.oldest_unverified_hours.unwrap();
        let is_after_outage = tenant.outage.contains(&day.saturating_sub(4));
        assert!(
            hours <= ALARM_HOURS || tenant.may_be_late && (tenant.outage.is_empty() || is_after_outage),
            "{place}: {hours} hours unverified"
        );
        let expired = run.report.expired_windows();
        assert!(expired == 0 || tenant.may_expire, "{place}: {expired} windows expired");
        if day % 10 == 9 && !is_after_outage {
            let audit = world.audit_alone().await;
            audit.assert_sound();
            let settled = world.simulator.now() - SETTLED;
            let unread = world.unread(&audit).filter(|record| record.time < settled);
            let mut unread = unread.filter(|record| !(tenant.may_expire && audit.agrees_without(record)));
            assert!(
                unread.next().is_none(),
                "{place}: {} settled records are not stored",
                unread.count() + 1
            );
        }
    }
}
