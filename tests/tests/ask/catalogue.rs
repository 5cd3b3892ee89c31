//! What the template tells Athena of tables and views, against what the files hold.

use std::path::{Path, PathBuf};
use std::process::Command;

use entratrail::log::Log;
use entratrail::table::glue_columns;
use entratrail_tests::stack::Tools;
use serde_json::Value;

/// The folder of the checkout.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the checkout is there")
}

/// Output of a script beside this file.
pub(crate) fn python(script: &str, arguments: &[&Path]) -> Value {
    let output = Command::new(Tools::Emulator.program("python"))
        .arg("-B")
        .arg(checkout().join("tests/tests/ask").join(script))
        .arg(checkout().join("template.yaml"))
        .args(arguments)
        .output()
        .expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

/// Name and type of each column.
pub(crate) type Columns = Vec<(String, String)>;

pub(crate) fn columns(of: &Value) -> Columns {
    serde_json::from_value(of.clone()).expect("columns are pairs of name and type")
}

/// The type of a column as the engine of Athena writes it.
pub(crate) fn engine_type(glue: &str) -> String {
    match glue {
        "string" => "varchar".to_owned(),
        "int" => "integer".to_owned(),
        "timestamp" => "timestamp(3)".to_owned(),
        _ => match (glue.strip_prefix("array<"), glue.strip_prefix("struct<")) {
            (Some(element), _) => {
                format!("array({})", engine_type(element.strip_suffix('>').unwrap()))
            }
            (_, Some(members)) => {
                let members = members_of(members.strip_suffix('>').unwrap());
                let member =
                    |(name, of): &(&str, &str)| format!("{} {}", quoted(name), engine_type(of));
                format!("row({})", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
            _ => glue.to_owned(),
        },
    }
}

/// `user` is the name of a function.
fn quoted(name: &str) -> String {
    if name == "user" { format!("\"{name}\"") } else { name.to_owned() }
}

fn members_of(text: &str) -> Vec<(&str, &str)> {
    let (mut depth, mut start, mut members) = (0_u32, 0, Vec::new());
    for (place, letter) in text.char_indices().chain([(text.len(), ',')]) {
        match letter {
            '<' => depth += 1,
            '>' => depth -= 1,
            ',' if depth == 0 => {
                members.push(text[start..place].split_once(':').unwrap());
                start = place + 1;
            }
            _ => {}
        }
    }
    members
}

#[test]
fn tables_have_the_columns_of_the_files() {
    let tables = python("template.py", &[])["tables"].take();
    let partitions = |names: &[(&str, &str)]| -> Columns {
        names.iter().map(|(name, of)| ((*name).to_owned(), (*of).to_owned())).collect()
    };
    let of_sign_ins = partitions(&[("event_type", "string"), ("day", "date")]);
    let of_audits = partitions(&[("day", "date")]);
    let newest = partitions(&[("recency", "bigint")]);
    for (table, log, partitions) in [
        ("sign_ins", Log::SignIns, &of_sign_ins),
        ("directory_audits", Log::DirectoryAudits, &of_audits),
        ("provisioning", Log::Provisioning, &of_audits),
    ] {
        let expected = [&glue_columns(log)[..], partitions].concat();
        assert_eq!(columns(&tables[table]), expected, "{table}");
        let latest = [&expected[..], &newest].concat();
        assert_eq!(columns(&tables[format!("{table}_latest")]), latest, "{table}_latest");
    }
}

#[test]
fn views_are_told_to_both_readers_alike() {
    let template = python("template.py", &[]);
    let views = template["view_columns"].as_object().unwrap();
    assert!(!views.is_empty());
    for (view, told) in views {
        let of_glue = columns(&template["tables"][view]);
        let expected: Columns =
            of_glue.into_iter().map(|(name, of)| (name, engine_type(&of))).collect();
        assert_eq!(columns(told), expected, "{view}");
    }
}
