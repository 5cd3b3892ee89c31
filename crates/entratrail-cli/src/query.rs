//! `entratrail query`: any SQL on the tables of an archive.

mod csv;
mod table;

use crate::arguments::{Format, QueryArguments};
use crate::output::{complain, say};
use crate::saved;
use crate::session::{Column, Session, rows, text, write_lines};
use crate::status::Status;
use chrono::Utc;
use csv::csv_line;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::error::ArrowError;
use entratrail::error::Error;
use std::io::Write as _;
use table::TextTable;

/// Answers what `arguments` ask.
pub(crate) async fn query(arguments: &QueryArguments) -> Result<Status, Error> {
    if arguments.list {
        for question in saved::questions() {
            say(&question.name);
        }
        return Ok(Status::AllDone);
    }
    let sql = sql(arguments)?;
    let now = arguments.days.now().unwrap_or_else(Utc::now);
    let Some(place) = &arguments.archive else {
        return Err(Error::Configuration("--archive must name the archive".to_owned()));
    };
    let session = Session::open(place, arguments.days.days(), now).await?;
    let mut sheet = Sheet::new(arguments.format);
    session.ask_each(&sql, |columns, batch| sheet.add(columns, batch)).await?;
    sheet.finish();
    let problems = session.problems();
    for problem in &problems {
        complain(problem);
    }
    Ok(if problems.is_empty() { Status::AllDone } else { Status::SomethingLeft })
}

/// The SQL to run: given, from standard input, or saved.
fn sql(arguments: &QueryArguments) -> Result<String, Error> {
    match (arguments.sql.as_deref(), arguments.saved.as_deref()) {
        (Some("-"), _) => std::io::read_to_string(std::io::stdin().lock())
            .map_err(|error| Error::Configuration(format!("standard input could not be read: {error}"))),
        (Some(sql), _) => Ok(sql.to_owned()),
        (None, Some(name)) => saved::question(name).map(|question| question.sql).ok_or_else(|| {
            Error::Configuration(format!(
                "no saved question is called \"{name}\"; entratrail query --list names them"
            ))
        }),
        (None, None) => Err(Error::Configuration(
            "there is no question: give SQL, - to read it from standard input, or --saved NAME".to_owned(),
        )),
    }
}

/// Where rows go.
#[derive(Debug)]
enum Sheet {
    Table(TextTable),
    Csv { has_header: bool },
    Json,
}

impl Sheet {
    fn new(format: Format) -> Self {
        match format {
            Format::Table => Self::Table(TextTable::default()),
            Format::Csv => Self::Csv { has_header: false },
            Format::Json => Self::Json,
        }
    }

    fn add(&mut self, columns: &[Column], batch: &RecordBatch) -> Result<(), ArrowError> {
        match self {
            Self::Table(table) => table.add(columns, &rows(batch)?),
            Self::Csv { has_header } => {
                if !std::mem::replace(has_header, true) {
                    say(&csv_line(columns.iter().map(|column| column.name.clone())));
                }
                for row in rows(batch)? {
                    say(&csv_line(columns.iter().map(|column| text(row.get(&column.name)))));
                }
            }
            Self::Json => {
                let mut lines = Vec::new();
                write_lines(batch, &mut lines)?;
                // A closed pipe is no reason to complain, as everywhere.
                let _ = std::io::stdout().lock().write_all(&lines);
            }
        }
        Ok(())
    }

    fn finish(self) {
        if let Self::Table(table) = self {
            say(&table.to_string());
        }
    }
}
