//! Verifier keys, which a person gives in a file.

use entratrail::error::Error;
use entratrail::evidence::note::VerifierKey;
use entratrail::named_file;
use std::path::Path;

/// Verifier keys that a person trusts.
#[derive(Debug)]
pub(crate) struct VerifierKeys(pub(crate) Vec<VerifierKey>);

impl VerifierKeys {
    /// Reads the file at `path`, a key a line.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = read_text(path)?;
        let keys = VerifierKey::parse_all(&text);
        keys.map(Self)
            .map_err(|broken| Error::configuration(format!("{}: {broken}", path.display())))
    }
}

/// The text of a file that was named on the command line.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    named_file::read_text(path).map_err(|error| {
        Error::configuration(format!("{} could not be read ({error})", path.display()))
            .with_source(error)
    })
}
