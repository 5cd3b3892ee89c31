//! The stack's part for Athena: tables, views and saved questions.

use super::camel;
use crate::view::partitions;
use crate::{Question, View, questions, views};
use entratrail_records::log::Log;
use entratrail_records::table::{column_descriptions, glue_columns};
use std::fmt::Write as _;

/// Characters that the catalogue takes of a column's description.
const LONGEST_COMMENT: usize = 255;

/// Questions that are made at once: Athena takes about five new ones a second.
const AT_ONCE: usize = 4;

const VIEWS: &str = "\
  # Views. None has a Description: Trino takes it for the comment by which it knows a view, and then
  # finds none. Other engines than Athena want an Owner. Athena takes them as JSON in Base64, in which
  # the text below folds into one line: no comments, no deeper lines.
";

/// A table over objects of the archive.
struct Table {
    name: String,
    description: &'static str,
    /// Folder in the bucket.
    folder: String,
    classification: &'static str,
    partitions: Vec<(&'static str, &'static str)>,
    input: &'static str,
    output: &'static str,
    serde: &'static str,
    columns: Vec<[String; 3]>,
}

/// Everything between the workgroup and `QuickSight`.
pub(super) fn athena() -> String {
    let mut text = String::new();
    for table in tables() {
        text.push_str(&table.resource());
    }
    text.push_str(VIEWS);
    for view in views() {
        text.push_str(&view_resource(&view));
    }
    let questions = questions();
    for (index, question) in questions.iter().enumerate() {
        let before = index.checked_sub(AT_ONCE).and_then(|before| questions.get(before));
        text.push_str(&question_resource(question, before));
    }
    text
}

fn tables() -> Vec<Table> {
    let mut tables: Vec<_> =
        Log::ALL.into_iter().map(|log| parquet(log, descriptions(log).0)).collect();
    tables.extend(Log::ALL.into_iter().map(|log| {
        let name = format!("{}_raw", log.table());
        let folder = format!("raw/{}", log.name());
        lines(&name, descriptions(log).1, &folder, partitions(log))
    }));
    let of_reads = "The record of all reads; one JSON text each";
    tables.push(lines("ledger", of_reads, "ledger", Vec::new()));
    tables
}

/// Meaning of a row of the typed table of a log, and of its raw one.
fn descriptions(log: Log) -> (&'static str, &'static str) {
    match log {
        Log::SignIns => {
            ("Every version of every sign-in", "Sign-ins as Graph sent them; one JSON text each")
        }
        Log::DirectoryAudits => (
            "Every version of every directory audit",
            "Directory audits as Graph sent them; one JSON text each",
        ),
        Log::Provisioning => (
            "Every version of every provisioning record",
            "Provisioning records as Graph sent them; one JSON text each",
        ),
    }
}

/// A table over the table objects of a log.
fn parquet(log: Log, description: &'static str) -> Table {
    Table {
        name: log.table().to_owned(),
        description,
        folder: format!("tables/{}", log.table()),
        classification: "parquet",
        partitions: partitions(log),
        input: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        output: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        serde: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        columns: described(log),
    }
}

/// A table over lines of text, with one column: the delimiter of fields is a control character,
/// which no JSON text holds.
fn lines(
    name: &str,
    description: &'static str,
    folder: &str,
    partitions: Vec<(&'static str, &'static str)>,
) -> Table {
    Table {
        name: name.to_owned(),
        description,
        folder: folder.to_owned(),
        classification: "text",
        partitions,
        input: "org.apache.hadoop.mapred.TextInputFormat",
        output: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        serde: "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        columns: vec![["record", "string", "One JSON text"].map(str::to_owned)],
    }
}

/// Name, type and description of each column.
fn described(log: Log) -> Vec<[String; 3]> {
    let columns = glue_columns(log).into_iter().zip(column_descriptions(log));
    columns
        .map(|((name, of), about)| [name, of, about.chars().take(LONGEST_COMMENT).collect()])
        .collect()
}

impl Table {
    fn resource(&self) -> String {
        let mut text = head(&self.name);
        let _ = write!(
            text,
            "        Name: {}\n        Description: {}\n        TableType: \
             EXTERNAL_TABLE\n        Parameters:\n          EXTERNAL: \
             \"TRUE\"\n          classification: {}\n",
            self.name, self.description, self.classification
        );
        if !self.partitions.is_empty() {
            text.push_str("          projection.enabled: \"true\"\n");
            for (name, _) in &self.partitions {
                text.push_str(projection(name));
            }
            text.push_str("        PartitionKeys:\n");
            for (name, of) in &self.partitions {
                let _ = writeln!(text, "          - {{ Name: {name}, Type: {of} }}");
            }
        }
        let _ = write!(
            text,
            "        StorageDescriptor:
          Location: !Sub
            - s3://${{Bucket}}/{}/
            - Bucket: !If [MakesBucket, !Ref Archive, !Ref ExistingBucket]
          InputFormat: {}
          OutputFormat: {}
          SerdeInfo:
            SerializationLibrary: {}
            Parameters: {{ serialization.format: \"1\" }}
          Columns:
",
            self.folder, self.input, self.output, self.serde
        );
        for [name, of, about] in &self.columns {
            let of = yaml_type(of);
            let _ = writeln!(
                text,
                "            - {{ Name: {name}, Type: {of}, Comment: \"{about}\" }}"
            );
        }
        text + "\n"
    }
}

fn projection(partition: &str) -> &'static str {
    match partition {
        "day" => {
            "          projection.day.type: date\n          projection.day.format: \
             yyyy-MM-dd\n          projection.day.range: 2025-01-01,NOW\n"
        }
        _ => {
            "          projection.event_type.type: enum\n          projection.event_type.values: \
             interactiveUser,nonInteractiveUser,servicePrincipal,managedIdentity\n"
        }
    }
}

fn head(name: &str) -> String {
    format!(
        "  {}:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref Database
      TableInput:
",
        logical_id(name)
    )
}

/// Name of the resource of a table or view. No resource may have the name of a parameter, and the
/// one that switches a log on has that of the log.
fn logical_id(name: &str) -> String {
    let is_taken = Log::ALL.into_iter().any(|log| log.is_optional() && log.table() == name);
    camel(name, '_') + if is_taken { "Table" } else { "" }
}

fn view_resource(view: &View) -> String {
    let mut text = head(&view.name);
    let _ = write!(
        text,
        "        Name: {}
        Owner: entratrail
        TableType: VIRTUAL_VIEW
        PartitionKeys: []
        Parameters: {{ presto_view: \"true\", comment: Presto View }}
        ViewExpandedText: /* Presto View */
        ViewOriginalText: !Join
          - \" \"
          - - \"/* Presto View:\"
            - Fn::Base64: !Sub >-
                {{\"catalog\": \"awsdatacatalog\", \"schema\": \"${{Database}}\", \"originalSql\": \"
",
        view.name
    );
    let indent = " ".repeat(16);
    for line in
        view.sql.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("--"))
    {
        let _ = writeln!(text, "{indent}{}", line.replace('"', "\\\""));
    }
    let mut columns = Vec::new();
    for column in &view.columns {
        let name = &column.name;
        let of = engine_type(&column.glue_type).replace('"', "\\\"");
        columns.push(format!("{indent}{{\"name\": \"{name}\", \"type\": \"{of}\"}}"));
    }
    let _ = writeln!(text, "{indent}\", \"columns\": [\n{}\n{indent}]}}", columns.join(",\n"));
    text.push_str(
        "            - \"*/\"\n        StorageDescriptor:\n          Location: \
                   \"\"\n          SerdeInfo: {}\n          Columns:\n",
    );
    for column in &view.columns {
        let of = yaml_type(&column.glue_type);
        let _ = writeln!(text, "            - {{ Name: {}, Type: {of} }}", column.name);
    }
    text + "\n"
}

fn question_resource(question: &Question, before: Option<&Question>) -> String {
    let mut text = format!("  {}:\n    Type: AWS::Athena::NamedQuery\n", question.logical_id());
    if let Some(before) = before {
        let _ = writeln!(text, "    DependsOn: {}", before.logical_id());
    }
    let _ = write!(
        text,
        "    Condition: SavesQuestions
    Properties:
      Database: !Ref Database
      WorkGroup: !Ref Workgroup
      Name: {}
      Description: \"{}\"
      QueryString: |
",
        question.name, question.summary
    );
    for line in question.sql.trim_end().lines() {
        let _ = writeln!(text, "        {line}");
    }
    text + "\n"
}

/// A type of the catalogue in YAML, where commas and colons need quotes.
fn yaml_type(glue: &str) -> String {
    if glue.contains('<') { format!("\"{glue}\"") } else { glue.to_owned() }
}

/// A type of the catalogue as the engine of Athena writes it.
fn engine_type(glue: &str) -> String {
    if let Some(element) = inside(glue, "array<") {
        return format!("array({})", engine_type(element));
    }
    if let Some(members) = inside(glue, "struct<") {
        let members = members_of(members).into_iter().map(|(name, of)| {
            // `user` is the name of a function.
            let name = if name == "user" { "\"user\"" } else { name };
            format!("{name} {}", engine_type(of))
        });
        return format!("row({})", members.collect::<Vec<_>>().join(", "));
    }
    match glue {
        "string" => "varchar",
        "int" => "integer",
        "timestamp" => "timestamp(3)",
        other => other,
    }
    .to_owned()
}

pub(super) fn inside<'glue>(glue: &'glue str, opening: &str) -> Option<&'glue str> {
    glue.strip_prefix(opening)?.strip_suffix('>')
}

/// Name and type of each member between the brackets of a struct.
pub(super) fn members_of(text: &str) -> Vec<(&str, &str)> {
    let mut depth = 0_u32;
    let members = text.split(|letter: char| {
        match letter {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    });
    members.filter_map(|member| member.split_once(':')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_for_the_engine() {
        assert_eq!(
            engine_type("array<struct<user:struct<id:string,at:timestamp>,sizes:array<int>>>"),
            "array(row(\"user\" row(id varchar, at timestamp(3)), sizes array(integer)))"
        );
    }

    #[test]
    fn no_description_needs_more_quotes() {
        for log in Log::ALL {
            for [name, _, about] in described(log) {
                assert!(!about.is_empty() && !about.contains(['"', '\\']), "{name}");
            }
        }
    }
}
