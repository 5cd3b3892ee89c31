//! Faults that change the records of a page.

/// Difference of a record body from the one that is really on file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Alteration {
    #[default]
    None,
    /// A member that no documentation names.
    UnknownField,
    /// A declared object arrives as text.
    TypeFlip,
}
