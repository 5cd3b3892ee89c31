//! Counts of what makes code hard to read, for this tree or for any other.

mod source;

use crate::process::Failure;
use source::{Counts, SourceFile};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Prints one line for each crate below `paths`, and one for all. Tests are left out.
pub(crate) fn run(paths: &[PathBuf]) -> Result<(), Failure> {
    let mut crates: BTreeMap<String, Counts> = BTreeMap::new();
    for path in paths {
        collect(path, &crate_name(path), &mut crates)?;
    }
    println!(
        "{:<24}{:>8}{:>9}{:>9}{:>8}{:>10}{:>8}{:>8}",
        "crate", "lines", "vague", "shared", "long", "closures", "tuples", "inline"
    );
    let mut all = Counts::default();
    for (name, counts) in &crates {
        print_row(name, counts);
        all.add(&counts.named_after(name));
    }
    print_row("all", &all);
    println!(
        "\nlines     lines of code, without tests, comments and blank ones\nvague     first lines \
         of documentation that begin with What, How, Where, Which, The same\nshared    types whose \
         name another type of the crate has\nlong      lines over 100 columns\nclosures  closures \
         with a name, tuples  let (a, b) = (x, y), inline  comments: per 1,000 lines"
    );
    Ok(())
}

fn print_row(name: &str, counts: &Counts) {
    println!(
        "{name:<24}{:>8}{:>8.1}%{:>8.1}%{:>7.2}%{:>10.1}{:>8.1}{:>8.1}",
        counts.code,
        share(counts.vague, counts.documented, 100),
        share(counts.shared_types(), counts.types(), 100),
        share(counts.long, counts.lines, 100),
        share(counts.closures, counts.code, 1000),
        share(counts.tuples, counts.code, 1000),
        share(counts.inline, counts.code, 1000),
    );
}

/// `part` of `whole`, times `unit`. Trees of source are far smaller than what `f64` holds exactly.
#[expect(clippy::cast_precision_loss, reason = "a count of lines is far below 2^52")]
fn share(part: usize, whole: usize, unit: usize) -> f64 {
    (part * unit) as f64 / whole.max(1) as f64
}

/// Counts every file below `folder` under the name of the crate it belongs to.
fn collect(
    folder: &Path,
    name: &str,
    crates: &mut BTreeMap<String, Counts>,
) -> Result<(), Failure> {
    if folder.is_file() {
        return count(folder, name, crates);
    }
    let name =
        if folder.join("Cargo.toml").exists() { crate_name(folder) } else { name.to_owned() };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| Failure::io(folder, &error))? {
        paths.push(entry.map_err(|error| Failure::io(folder, &error))?.path());
    }
    paths.sort();
    for path in paths {
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            let is_left_out =
                file_name.starts_with('.') || ["target", "tests", "benches"].contains(&&*file_name);
            // The package of the tests is a folder of that name with sources of its own.
            if !is_left_out || path.join("Cargo.toml").exists() {
                collect(&path, &name, crates)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && file_name != "tests.rs"
        {
            count(&path, &name, crates)?;
        }
    }
    Ok(())
}

fn count(path: &Path, name: &str, crates: &mut BTreeMap<String, Counts>) -> Result<(), Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))?;
    crates.entry(name.to_owned()).or_default().add(&SourceFile::new(&text).count());
    Ok(())
}

fn crate_name(folder: &Path) -> String {
    let path = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    path.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned())
}
