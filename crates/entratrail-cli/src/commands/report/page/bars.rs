//! Tables with a bar in each row.

use super::super::figures::Counted;
use crate::terminal::numbers::thousands;
use maud::{Markup, html};

/// The table of `counted`, each of them a `kind`; nothing where there are none.
pub(super) fn of(title: &str, kind: &str, counted: &[Counted]) -> Markup {
    let most = counted.iter().map(|counted| counted.all).max().unwrap_or(0).max(1);
    html! {
        @if !counted.is_empty() {
            figure.bars {
                figcaption { h3 { (title) } }
                table {
                    thead { tr { th scope="col" { (kind) } th.number scope="col" { "All" } th.number scope="col" { "Failed" } } }
                    tbody { @for counted in counted { (row(counted, most)) } }
                }
            }
        }
    }
}

fn row(counted: &Counted, most: u64) -> Markup {
    html! {
        tr {
            th scope="row" {
                span.label { (counted.name) }
                (bar(counted, most))
            }
            td.number { (thousands(counted.all)) }
            td.number { (thousands(counted.failed)) }
        }
    }
}

fn bar(counted: &Counted, most: u64) -> Markup {
    html! {
        svg.bar aria-hidden="true" viewBox="0 0 1000 6" preserveAspectRatio="none" {
            rect.ink width=(counted.all * 1000 / most) height="6" {}
            rect.accent width=(counted.failed * 1000 / most) height="6" {}
        }
    }
}
