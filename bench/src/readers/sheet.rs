//! The printed result: one small table for each rung, and whether the product kept its promise.

use super::Played;
use super::account::Account;
use super::ladder::Rung;
use super::process::Cost;
use super::tool::Tool;
use crate::table::{megabytes, thousands};
use std::fmt;
use std::time::Duration;

const WHAT_IS_COMPARED: &str = "\
readers: the product beside what a user would pick instead, each on the same simulated tenants, one after the other
  The simulator is this project's own. The other two are general SDKs in their documented form: to archive is not their
  aim, and no retry, check or store was written around them. Each reads the day before into a file of that day; the
  product reads what is due. Nothing limits or delays the simulated Graph unless the line says so.
  kept       record versions that were on file from start to end of a run, and that the reader has
  altered    those among them that it has with another content than any page can show
  doubled    lines with an id and a content that it has already
  silent     versions that it lacks although the run for their day reported success
  reported   versions that it lacks after a run that reported a failure
  wall, CPU  of all runs together; memory is the largest peak; in brackets as a multiple of the product's";

const HEADS: [&str; 9] =
    ["", "kept", "altered", "doubled", "silent", "reported", "wall", "CPU", "memory"];

/// Results of every tool on one rung.
#[derive(Debug)]
pub(super) struct Sheet {
    title: String,
    /// Resources that the product used, once they are known.
    product: Option<Cost>,
    rows: Vec<[String; 9]>,
    remarks: Vec<String>,
    /// Whether the product broke its promise.
    pub(super) is_breached: bool,
}

/// Text before the first sheet.
pub(super) fn introduction(patience: Duration) -> String {
    let minutes = patience.as_secs() / 60;
    format!(
        "{WHAT_IS_COMPARED}\n  A run that takes longer than {minutes} minutes is broken off and \
         counts as a failure.\n"
    )
}

impl Sheet {
    pub(super) fn new(rung: &Rung) -> Self {
        Self {
            title: format!("{}: {}", rung.name, rung.terms()),
            product: None,
            rows: vec![HEADS.map(str::to_owned)],
            remarks: Vec::new(),
            is_breached: false,
        }
    }

    /// Enters what a tool came to; the product first, because the others are shown as a multiple of
    /// it.
    pub(super) fn enter(&mut self, tool: Tool, played: &Played) {
        let Account { kept, altered, doubled, silently_lost, reported_lost, strange } =
            played.account;
        let [wall, cpu, memory] = costs(played.cost, self.product);
        if tool == Tool::EntraTrail {
            self.product = Some(played.cost);
            self.is_breached = doubled + silently_lost + altered + strange > 0;
        }
        let [kept, altered, doubled, silent, reported] =
            [kept, altered, doubled, silently_lost, reported_lost].map(thousands);
        self.rows.push([tool.title(), kept, altered, doubled, silent, reported, wall, cpu, memory]);
        self.remarks.extend(
            played.reported.iter().map(|said| format!("{} reported: {said}", tool.title())),
        );
        if strange > 0 {
            let lines = thousands(strange);
            self.remarks.push(format!(
                "{} holds {lines} lines that are no record of the tenant",
                tool.title()
            ));
        }
    }

    /// Enters that a tool could not be started at all.
    pub(super) fn miss(&mut self, tool: Tool, why: &str) {
        self.remarks
            .push(format!("{} was not measured: it could not be installed: {why}", tool.title()));
    }
}

/// Wall time, CPU time and memory, each as a multiple of the product's where that is known.
fn costs(cost: Cost, product: Option<Cost>) -> [String; 3] {
    let figures =
        |cost: Cost| [cost.wall.as_secs_f64(), cost.cpu.as_secs_f64(), megabytes(cost.peak_bytes)];
    let own = figures(cost);
    let products = product.map(figures);
    std::array::from_fn(|index| {
        let unit = if index == 2 {
            format!("{:.0} MB", own[index])
        } else {
            format!("{:.1} s", own[index])
        };
        match products.map(|figures| own[index] / figures[index]) {
            Some(ratio) if ratio.is_finite() => format!("{unit} ({ratio:.1})"),
            _ => unit,
        }
    })
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let mut widths = [0; 9];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in &self.rows {
            write!(f, "  {:width$}", row[0], width = widths[0])?;
            for (cell, width) in row.iter().zip(widths).skip(1) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)?;
        }
        self.remarks.iter().try_for_each(|remark| writeln!(f, "  {remark}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(account: Account, seconds: u64) -> Played {
        let time = Duration::from_secs(seconds);
        let cost = Cost { wall: time, cpu: time, peak_bytes: seconds * 1_000_000 };
        Played { account, cost, reported: Vec::new() }
    }

    fn sheet(product: Account) -> Sheet {
        let mut sheet = Sheet::new(&Rung::clean(1_000));
        sheet.enter(Tool::EntraTrail, &played(product, 2));
        sheet
    }

    #[test]
    fn the_others_stand_beside_the_product_with_their_ratio() {
        let mut sheet = sheet(Account { kept: 1_000, ..Account::default() });
        let other = Account { kept: 990, silently_lost: 10, ..Account::default() };
        sheet.enter(
            Tool::GraphRsSdk,
            &Played { reported: vec!["oh".to_owned()], ..played(other, 5) },
        );
        sheet.miss(Tool::MsgraphSdk, "pip failed");
        assert_eq!(
            sheet.to_string(),
            "a day without any trouble: 1,000 records a day, pages of 1,000, read \
             once\n\x20                      kept  altered  doubled  silent  reported         wall          CPU      memory\n\x20 \
             EntraTrail 0.1.0    1,000        0        0       0         0        2.0 s        2.0 \
             s        2 MB\n\x20 graph-rs-sdk \
             3.0.1    990        0        0      10         0  5.0 s (2.5)  5.0 s (2.5)  5 MB \
             (2.5)\n\x20 graph-rs-sdk 3.0.1 reported: oh\n\x20 msgraph-sdk 1.65.0 was not \
             measured: it could not be installed: pip failed\n"
        );
        assert!(!sheet.is_breached);
    }

    #[test]
    fn the_product_breaks_its_promise_by_any_loss_that_it_does_not_report_and_by_any_double() {
        for broken in [
            Account { silently_lost: 1, ..Account::default() },
            Account { doubled: 1, ..Account::default() },
            Account { altered: 1, ..Account::default() },
            Account { strange: 1, ..Account::default() },
        ] {
            assert!(sheet(broken).is_breached, "{broken:?}");
        }
        assert!(!sheet(Account { reported_lost: 7, ..Account::default() }).is_breached);
    }

    #[test]
    fn nothing_is_asserted_about_the_others() {
        let mut sheet = sheet(Account { kept: 5, ..Account::default() });
        let careless = Account { silently_lost: 9, doubled: 9, ..Account::default() };
        sheet.enter(Tool::MsgraphSdk, &played(careless, 1));
        assert!(!sheet.is_breached);
    }
}
