//! Answers of any endpoint: how they look, how they leave, and the faults that any of them can
//! suffer.

pub(crate) mod answer;
pub(crate) mod form;
pub(crate) mod generic_fault;
pub(crate) mod response;
