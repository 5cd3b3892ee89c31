//! The page that describes the tables, from the declaration.

use super::field::{Field, Kind};
use super::schema::glue_type;
use super::{ADDED, fields};
use crate::log::Log;
use std::fmt::Write as _;

const INTRODUCTION: &str = "\
# Tables

Each read that brings new record versions leaves a Parquet object beside its raw one: one row a record version, in the order
of the raw object. The objects derive from the raw ones; `entratrail rebuild` makes them again at any time, byte for byte.

- Names are Graph's in snake case: `createdDateTime` is `created_date_time`. Enumerations are text, because Microsoft adds
  members without notice. Timestamps are UTC and cut to milliseconds. Every column may be null.
- `event_type` (of `sign_ins`) and `day` are partition columns: they stand in the names of the objects, not in the files.
- A field that is unknown here, that came with another type than declared, or that came twice is in `other`, a JSON object whose
  keys are the paths in the record: `status.errorCode`, `targetResources[0].type`. Reports count such fields
  (`unexpectedFields`); they fail nothing, and the raw record has them in any case.
- A changed record is a row of its own with the same `id`: `first_seen` and `content_hash` tell the versions apart.
- Fields of beta are null where only interactive sign-ins are collected, because those come from v1.0.

This page is made from the declaration that also makes the files (`crates/records/src/table`):
`cargo xtask generate` writes it.
";

/// The page in Markdown.
pub fn document() -> String {
    let mut page = INTRODUCTION.to_owned();
    for log in Log::ALL {
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "\n## {}\n\n| column | type | Graph | what |\n|---|---|---|---|\n",
            log.table()
        );
        describe(&mut page, "", fields(log));
        for added in &ADDED {
            let _ = writeln!(
                page,
                "| `{}` | {} | | {} |",
                added.name,
                glue_type(&added.kind),
                added.about
            );
        }
    }
    page
}

/// A line for each field, followed by those of its members.
fn describe(page: &mut String, parent: &str, fields: &[Field]) {
    for field in fields {
        let name = format!("{parent}{}", field.name());
        let (kind, mark) = match &field.kind {
            Kind::List(element) => (&**element, "[]"),
            kind => (kind, ""),
        };
        let (shown, members): (_, &[Field]) = match kind {
            Kind::Struct(members) => ("struct".to_owned(), members),
            kind => (glue_type(kind), &[]),
        };
        let shown = if mark.is_empty() { shown } else { format!("array of {shown}") };
        let _ =
            writeln!(page, "| `{name}` | {shown} | {} | {} |", field.served.name(), field.about);
        describe(page, &format!("{name}{mark}."), members);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_columns_have_the_same_name_without_regard_to_case() {
        fn check(parent: &str, fields: &[Field]) {
            let mut names: Vec<_> = fields.iter().map(Field::name).collect();
            names.sort();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{parent}");
            for field in fields {
                match &field.kind {
                    Kind::Struct(members) | Kind::List(Kind::Struct(members)) => {
                        check(&field.name(), members);
                    }
                    _ => {}
                }
            }
        }
        for log in Log::ALL {
            check(log.table(), fields(log));
        }
    }

    #[test]
    fn the_catalogue_has_types_for_every_depth() {
        let columns = super::super::glue_columns(Log::DirectoryAudits);
        let of = |name: &str| {
            columns.iter().find(|(column, _)| column == name).map(|(_, kind)| kind.as_str())
        };
        assert_eq!(of("activity_date_time"), Some("timestamp"));
        assert_eq!(of("additional_details"), Some("array<struct<key:string,value:string>>"));
        assert_eq!(of("first_seen"), Some("timestamp"));
        let columns = super::super::glue_columns(Log::SignIns);
        assert!(columns.contains(&("autonomous_system_number".to_owned(), "bigint".to_owned())));
        assert!(columns.contains(&("risk_event_types_v2".to_owned(), "array<string>".to_owned())));
    }
}
