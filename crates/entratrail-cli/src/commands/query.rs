//! `entratrail query`: any SQL on the tables of an archive.

pub(crate) mod arguments;
mod csv;
mod depth;

use crate::sql::settings::Settings;
use crate::sql::{Column, Session, TakeRows, rows, text, write_lines};
use crate::status::Status;
use crate::terminal::output::{print_error, print_line};
use crate::terminal::table::TextTable;
use arguments::{Format, QueryArguments};
use chrono::Utc;
use csv::{csv_line, safe};
use datafusion::arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use entratrail::error::Error;
use entratrail::shown::{describe, visible, visible_json};
use entratrail_questions::{Question, questions};
use std::io::{Seek as _, Write as _};
use tempfile::SpooledTempFile;

/// Bytes of an answer that are kept in memory until it is whole; what is larger waits in a
/// temporary file.
const IN_MEMORY: usize = 16 * 1024 * 1024;

/// Answers what `arguments` ask.
pub(crate) async fn query(arguments: &QueryArguments) -> Result<Status, Error> {
    if arguments.list {
        for question in questions() {
            print_line(&question.name);
        }
        return Ok(Status::AllDone);
    }
    let sql = sql(arguments)?;
    depth::check(&sql)?;
    let now = arguments.days.now().unwrap_or_else(Utc::now);
    let settings = Settings::read(arguments.settings.as_deref())?;
    let Some(location) = &arguments.archive else {
        return Err(Error::configuration("--archive must name the archive"));
    };
    let session = Session::open(location, arguments.days.range(), now, &settings).await?;
    session.ask_into(&sql, || Sheet::new(arguments)).await?.print()?;
    let problems = session.problems();
    for problem in &problems {
        print_error(problem);
    }
    Ok(if problems.is_empty() { Status::AllDone } else { Status::SomethingLeft })
}

/// The SQL to run: given, from standard input, or saved.
fn sql(arguments: &QueryArguments) -> Result<String, Error> {
    match (arguments.sql.as_deref(), arguments.saved.as_deref()) {
        (Some("-"), _) => std::io::read_to_string(std::io::stdin().lock()).map_err(|error| {
            Error::configuration(format!("standard input could not be read: {error}"))
                .with_source(error)
        }),
        (Some(sql), _) => Ok(sql.to_owned()),
        (None, Some(name)) => saved(name).map(|question| question.sql).ok_or_else(|| {
            Error::configuration(format!(
                "no saved question has the name that --saved holds, {}",
                describe(name)
            ))
            .with_remedy("find its name with entratrail query --list")
        }),
        (None, None) => Err(Error::configuration("there is no question")
            .with_remedy("give SQL, - to read it from standard input, or --saved NAME")),
    }
}

/// The saved question with that name or id.
fn saved(name: &str) -> Option<Question> {
    questions().into_iter().find(|question| {
        question.name.eq_ignore_ascii_case(name) || question.id.eq_ignore_ascii_case(name)
    })
}

/// An answer that is being written. Nothing is printed before it is whole.
#[derive(Debug)]
enum Sheet {
    Table(TextTable),
    Csv { lines: SpooledTempFile, has_header: bool, cells: Cells },
    Json(SpooledTempFile),
}

/// Form in which the text of a cell is written.
#[derive(Debug, Clone, Copy)]
enum Cells {
    /// As it is, for programs.
    Whole,
    /// In one line, with nothing that a terminal would obey.
    Visible,
    /// Visible, and so that a spreadsheet takes nothing for a formula.
    Safe,
}

impl Cells {
    fn of(arguments: &QueryArguments) -> Self {
        match arguments.safe_cells {
            true => Self::Safe,
            false if console::user_attended() => Self::Visible,
            false => Self::Whole,
        }
    }

    fn text(self, cell: String, is_number: bool) -> String {
        match self {
            Self::Safe if !is_number => safe(&cell),
            Self::Visible => visible(&cell).into_owned(),
            Self::Safe | Self::Whole => cell,
        }
    }
}

impl Sheet {
    fn new(arguments: &QueryArguments) -> Self {
        let lines = SpooledTempFile::new(IN_MEMORY);
        match arguments.format {
            Format::Table => Self::Table(TextTable::default()),
            Format::Csv => Self::Csv { lines, has_header: false, cells: Cells::of(arguments) },
            Format::Json => Self::Json(lines),
        }
    }

    fn print(self) -> Result<(), Error> {
        match self {
            Self::Table(table) => print_line(&table.to_string()),
            Self::Csv { mut lines, .. } | Self::Json(mut lines) => {
                lines.rewind().map_err(|error| {
                    Error::disk(format!(
                        "the answer could not be read back from its temporary file: {error}"
                    ))
                    .with_source(error)
                })?;
                // A closed pipe is no reason to complain, as everywhere.
                let _ = std::io::copy(&mut lines, &mut std::io::stdout().lock());
            }
        }
        Ok(())
    }
}

impl TakeRows for Sheet {
    fn take(&mut self, columns: &[Column], batch: &RecordBatch) -> Result<(), DataFusionError> {
        match self {
            Self::Table(table) => table.add(columns, &rows(batch)?),
            Self::Csv { lines, has_header, cells } => {
                if !std::mem::replace(has_header, true) {
                    let names = columns.iter().map(|column| cells.text(column.name.clone(), false));
                    writeln!(lines, "{}", csv_line(names))?;
                }
                for row in rows(batch)? {
                    let values = columns
                        .iter()
                        .map(|column| cells.text(text(row.get(&column.name)), column.is_number));
                    writeln!(lines, "{}", csv_line(values))?;
                }
            }
            Self::Json(lines) => {
                let mut written = Vec::new();
                write_lines(batch, &mut written)?;
                lines.write_all(visible_json(&String::from_utf8_lossy(&written)).as_bytes())?;
            }
        }
        Ok(())
    }
}
