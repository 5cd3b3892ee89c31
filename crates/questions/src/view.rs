//! A view, as its file has it.

use crate::header::{Header, body};
use entratrail_records::log::Log;
use entratrail_records::table::glue_columns;

/// Mark at the end of a line, followed by what `DataFusion` reads instead of that line.
const FOR_DATAFUSION: &str = "-- datafusion:";

/// Settings that the owner of a tenant knows better, as parameters of the stack: comma lists.
pub const SETTINGS: [&str; 3] = ["BreakGlassAccounts", "TrustedNetworks", "ImportantApplications"];

/// SQL with an expression in the place of each setting, as `value` says of its name.
pub fn with_settings(sql: &str, value: impl Fn(&str) -> String) -> String {
    SETTINGS
        .iter()
        .fold(sql.to_owned(), |sql, name| sql.replace(&format!("'${{{name}}}'"), &value(name)))
}

/// A view over the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// Meaning of one row.
    pub rows: String,
    /// Its columns, in order.
    pub columns: Vec<ViewColumn>,
    /// SQL for Athena and `DuckDB`.
    pub sql: String,
    /// SQL for `DataFusion`.
    pub datafusion: String,
    /// It has few rows next to the tables: worth keeping once it is worked out.
    pub is_small: bool,
}

/// A column of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewColumn {
    /// Its name.
    pub name: String,
    /// Its type in the Glue catalogue.
    pub glue_type: String,
}

impl ViewColumn {
    /// The columns that a file declares; `None` where one has no type.
    pub(crate) fn declared(header: &Header) -> Option<Vec<Self>> {
        let mut columns = Vec::new();
        for text in header.values("column") {
            let (name, glue_type) = text.split_once(' ')?;
            columns.push(Self { name: name.to_owned(), glue_type: glue_type.to_owned() });
        }
        Some(columns)
    }
}

impl View {
    /// The view of a file; `None` where metadata are missing.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let header = Header::read(text);
        let mut columns = match header.value("table") {
            Some(table) => table_columns(&table)?,
            None => Vec::new(),
        };
        columns.extend(ViewColumn::declared(&header)?);
        let (everybody, datafusion): (Vec<_>, Vec<_>) =
            body(text).lines().map(for_each_engine).unzip();
        Some(Self {
            name: header.value("name")?,
            rows: header.value("rows")?,
            columns,
            sql: everybody.join("\n"),
            datafusion: datafusion.join("\n"),
            is_small: header.value("small").as_deref() == Some("yes"),
        })
    }

    fn reads(&self, name: &str) -> bool {
        self.sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name)
    }
}

/// A line for Athena and `DuckDB`, and for `DataFusion`.
fn for_each_engine(line: &str) -> (String, String) {
    let (everybody, datafusion) = line.split_once(FOR_DATAFUSION).unwrap_or((line, line));
    (everybody.trim_end().to_owned(), datafusion.trim().to_owned())
}

/// The columns of a table, its partitions last.
fn table_columns(table: &str) -> Option<Vec<ViewColumn>> {
    let log = Log::ALL.into_iter().find(|log| log.table() == table)?;
    let partitions = partitions(log).into_iter().map(|(name, of)| (name.to_owned(), of.to_owned()));
    Some(
        glue_columns(log)
            .into_iter()
            .chain(partitions)
            .map(|(name, glue_type)| ViewColumn { name, glue_type })
            .collect(),
    )
}

/// The partition columns of a table and their types.
pub(crate) fn partitions(log: Log) -> Vec<(&'static str, &'static str)> {
    match log {
        Log::SignIns => vec![("event_type", "string"), ("day", "date")],
        Log::DirectoryAudits | Log::Provisioning => vec![("day", "date")],
    }
}

/// `views`, each after those that it reads.
pub(crate) fn in_order(mut views: Vec<View>) -> Vec<View> {
    let mut ordered = Vec::new();
    while !views.is_empty() {
        let next = views.iter().position(|view| {
            !views.iter().any(|other| other.name != view.name && view.reads(&other.name))
        });
        // Views that need each other have no order; the engine says so.
        ordered.push(views.remove(next.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_be_another_one_for_datafusion() {
        let view = View::read(
            "-- name: steps\n-- rows: step\n-- small: yes\nSELECT id,\nlist[1].name, -- datafusion: \
             get_field(list[1], 'name'),\nFROM x\nJOIN y ON true -- datafusion:\n",
        )
        .unwrap();
        assert_eq!(view.sql, "SELECT id,\nlist[1].name,\nFROM x\nJOIN y ON true");
        assert_eq!(view.datafusion.trim(), "SELECT id,\nget_field(list[1], 'name'),\nFROM x");
        assert!(view.is_small);
    }
}
