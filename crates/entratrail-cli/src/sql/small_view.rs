//! A view of few rows, which is worked out once.
//!
//! Knowing how small it is, a join keeps it in memory instead of the sign-ins. A join without an
//! equality has no other way: where what it keeps is larger than the memory, `DataFusion` reads that
//! again and breaks off with "partition not used yet".

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, TableType};
use datafusion::physical_plan::{ExecutionPlan, collect};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A view with its rows, once a question has asked for them.
#[derive(Debug)]
pub(super) struct SmallView {
    plan: LogicalPlan,
    schema: SchemaRef,
    rows: Mutex<Option<WorkedOut>>,
}

#[derive(Debug)]
struct WorkedOut {
    /// Value of `current_date`, on which the rows depend.
    now: Option<DateTime<Utc>>,
    rows: Arc<MemTable>,
}

impl SmallView {
    /// The view that `plan` works out.
    pub(super) fn of(plan: LogicalPlan) -> Self {
        let schema = Arc::new(plan.schema().as_arrow().clone());
        Self { plan, schema, rows: Mutex::new(None) }
    }

    /// Forgets its rows, which may be those of an object that turned out to be damaged.
    pub(super) async fn forget(&self) {
        *self.rows.lock().await = None;
    }

    async fn work_out(&self, state: &dyn Session) -> Result<Arc<MemTable>> {
        let plan = state.create_physical_plan(&self.plan).await?;
        let rows = collect(plan, state.task_ctx()).await?;
        MemTable::try_new(Arc::clone(&self.schema), vec![rows]).map(Arc::new)
    }
}

#[async_trait::async_trait]
impl TableProvider for SmallView {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let now = state.execution_props().query_execution_start_time;
        let mut known = self.rows.lock().await;
        let rows = match &*known {
            Some(known) if known.now == now => Arc::clone(&known.rows),
            _ => {
                let rows = self.work_out(state).await?;
                *known = Some(WorkedOut { now, rows: Arc::clone(&rows) });
                rows
            }
        };
        rows.scan(state, projection, filters, limit).await
    }
}
