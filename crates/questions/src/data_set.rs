//! A data set of `QuickSight`, as its file has it.

use crate::ViewColumn;
use crate::header::{Header, body};

/// Rows that `QuickSight` draws pictures of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// Stable name of its file and of its resource in the stack.
    pub id: String,
    /// Its columns, in order.
    pub columns: Vec<ViewColumn>,
    /// The column that holds countries, where one does.
    pub country: Option<String>,
    /// SQL that reads one view.
    pub sql: String,
}

impl DataSet {
    /// The data set of a file; `None` where metadata are missing.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let header = Header::read(text);
        Some(Self {
            id: header.value("id")?,
            columns: ViewColumn::declared(&header)?,
            country: header.value("country"),
            sql: body(text).trim().to_owned(),
        })
    }

    /// Name of its resource in the stack: `sign-ins` is `QuickSightSignIns`.
    pub fn logical_id(&self) -> String {
        format!("QuickSight{}", crate::generated::camel(&self.id, '-'))
    }
}
