//! SQL on an archive: the tables and views that Athena has, on this machine.

mod answer;
mod latest;
mod ledgers;
mod parquet_file;
mod scratch;
pub(crate) mod settings;
mod shared_file;
mod small_view;
mod table_files;
mod table_provider;

pub(crate) use answer::{Answer, Column, Row, TakeRows, rows, text, write_lines};
pub(crate) use ledgers::Ledgers;

use crate::archive_location::ArchiveLocation;
use crate::date_range::DateRange;
use answer::columns;
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use entratrail::archive::{Access, Archive};
use entratrail::error::Error;
use entratrail::log::Log;
use entratrail::table::arrow_schema;
use entratrail_questions::{views, with_settings};
use futures_util::TryStreamExt as _;
use settings::Settings;
use small_view::SmallView;
use std::sync::Arc;
use table_files::TableFiles;
use table_provider::{LogTable, Rows};

/// Memory that a query may take before it goes on on disk.
const MEMORY: usize = 640 * 1024 * 1024;

/// An archive that can be asked.
pub(crate) struct Session {
    context: SessionContext,
    /// Value of `current_date`.
    now: DateTime<Utc>,
    logs: Vec<Arc<TableFiles>>,
    small_views: Vec<Arc<SmallView>>,
    ledgers: Ledgers,
}

impl Session {
    /// Opens the archive at `location`. Table objects are fetched and looked at when a query needs
    /// them.
    pub(crate) async fn open(
        location: &ArchiveLocation,
        days: DateRange,
        now: DateTime<Utc>,
        settings: &Settings,
    ) -> Result<Self, Error> {
        let archive = location.open(Access::Read).await?;
        let runtime = RuntimeEnvBuilder::new().with_memory_limit(MEMORY, 1.0);
        let runtime = runtime.build_arc().map_err(|error| unusable(&error))?;
        let config = SessionConfig::new().with_information_schema(true);
        let context = SessionContext::new_with_config_rt(config, runtime);
        let ledgers = Ledgers::of(&archive, days).await?;
        let mut session = Self { context, now, logs: Vec::new(), small_views: Vec::new(), ledgers };
        session.add_tables(&archive, days).await?;
        session.add_views(settings).await.map_err(|error| unusable(&error))?;
        Ok(session)
    }

    /// Opens it with another `current_date`.
    pub(crate) fn at(self, now: DateTime<Utc>) -> Self {
        Self { now, ..self }
    }

    /// The rows that `sql` asks for.
    pub(crate) async fn ask(&self, sql: &str) -> Result<Answer, Error> {
        self.ask_into(sql, Answer::default).await
    }

    /// Hands the rows that `sql` asks for to what `empty` makes. The SQL can only read. Where an
    /// object turns out to be damaged, it is left out and the question asked again, from the start:
    /// no answer holds rows of a damaged object.
    pub(crate) async fn ask_into<T: TakeRows>(
        &self,
        sql: &str,
        empty: impl Fn() -> T,
    ) -> Result<T, Error> {
        loop {
            match self.answer(sql, empty()).await {
                Ok(answer) => return Ok(answer),
                Err(error) if is_damage(&error) && self.leave_out_damaged().await? => {}
                Err(error) => return Err(self.refused(&error)),
            }
        }
    }

    async fn answer<T: TakeRows>(&self, sql: &str, mut answer: T) -> Result<T, DataFusionError> {
        let mut rows = self.plan(sql).await?.execute_stream().await?;
        let schema = rows.schema();
        let columns = columns(&schema);
        let mut batch = rows.try_next().await?.unwrap_or_else(|| RecordBatch::new_empty(schema));
        loop {
            answer.take(&columns, &batch)?;
            let Some(next) = rows.try_next().await? else { return Ok(answer) };
            batch = next;
        }
    }

    /// Looks for damage in all that was opened; says whether any was found.
    async fn leave_out_damaged(&self) -> Result<bool, Error> {
        for view in &self.small_views {
            view.forget().await;
        }
        let mut is_found = false;
        for files in &self.logs {
            is_found |= files.examine().await?;
        }
        Ok(is_found)
    }

    /// Sentences about everything that could not be read.
    pub(crate) fn problems(&self) -> Vec<String> {
        let of_logs = self.logs.iter().flat_map(|files| files.problems());
        self.ledgers.problems.iter().cloned().chain(of_logs).collect()
    }

    pub(crate) fn ledgers(&self) -> &Ledgers {
        &self.ledgers
    }

    /// Whether the archive holds no table object of the days at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.logs.iter().all(|files| files.is_empty())
    }

    /// The first and the last day that a table object is of.
    pub(crate) fn span(&self) -> Option<(NaiveDate, NaiveDate)> {
        self.logs
            .iter()
            .filter_map(|files| files.span())
            .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }

    async fn add_tables(&mut self, archive: &Archive, days: DateRange) -> Result<(), Error> {
        for log in Log::ALL {
            let files = Arc::new(
                TableFiles::of(archive, log, arrow_schema(log), days, &self.ledgers).await?,
            );
            let name = log.name().replace('-', "_");
            for (name, rows) in
                [(name.clone(), Rows::All), (format!("{name}_latest"), Rows::Newest)]
            {
                let table = Arc::new(LogTable::new(log, rows, Arc::clone(&files)));
                self.context.register_table(name, table).map_err(|error| unusable(&error))?;
            }
            self.logs.push(files);
        }
        Ok(())
    }

    /// Adds the views of the template, apart from those that are tables here, because that is
    /// faster. A small one is worked out once.
    async fn add_views(&mut self, settings: &Settings) -> Result<(), DataFusionError> {
        self.context.register_table("reads", self.ledgers.table()?)?;
        for view in views() {
            if self.context.table_exist(&view.name)? {
                continue;
            }
            let sql = with_settings(&view.datafusion, |name| settings.literal(name));
            let rows = self.context.sql(&sql).await?;
            let table: Arc<dyn TableProvider> = if view.is_small {
                let small = Arc::new(SmallView::of(rows.into_unoptimized_plan()));
                self.small_views.push(Arc::clone(&small));
                small
            } else {
                rows.into_view()
            };
            self.context.register_table(view.name, table)?;
        }
        Ok(())
    }

    async fn plan(&self, sql: &str) -> Result<DataFrame, DataFusionError> {
        let mut state = self.context.state();
        state.execution_props_mut().query_execution_start_time = Some(self.now);
        let plan = state.create_logical_plan(sql).await?;
        let reading = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        reading.verify_plan(&plan)?;
        Ok(DataFrame::new(state, plan))
    }

    fn refused(&self, error: &DataFusionError) -> Error {
        match error.find_root() {
            DataFusionError::External(cause) if let Some(own) = cause.downcast_ref::<Error>() => {
                own.clone()
            }
            DataFusionError::IoError(cause) => Error::disk(format!(
                "what does not fit into memory could not be kept in the folder for temporary files \
                 ({cause})"
            ))
            .with_remedy("make room there, or name another folder with TMPDIR"),
            _ => {
                let tables = self.tables().join(", ");
                Error::configuration(format!("{}; there are the tables {tables}", message(error)))
            }
        }
    }

    /// The names of all tables and views.
    pub(crate) fn tables(&self) -> Vec<String> {
        let schema =
            self.context.catalog("datafusion").and_then(|catalog| catalog.schema("public"));
        let mut names = schema.map_or_else(Vec::new, |schema| schema.table_names());
        names.sort_unstable();
        names
    }
}

/// Whether an object may be to blame, and not the SQL.
fn is_damage(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::ParquetError(_) | DataFusionError::ArrowError(..) => true,
        DataFusionError::External(cause) => !cause.is::<Error>(),
        _ => false,
    }
}

fn unusable(error: &DataFusionError) -> Error {
    Error::archive(format!("the archive's tables could not be set up: {}", message(error)))
}

/// Words of the engine, without the places in its own code, in one line.
fn message(error: &DataFusionError) -> String {
    error.strip_backtrace().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
