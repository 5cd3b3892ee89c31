//! Lists the files below `sql/`, so that a question is one file and nothing else.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let sql = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql");
    let mut list = String::new();
    for (constant, folder) in
        [("QUESTIONS", "questions"), ("VIEWS", "views"), ("DATA_SETS", "data-sets")]
    {
        let folder = sql.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let entries = fs::read_dir(&folder)?.map(|entry| entry.map(|entry| entry.path()));
        let mut files = entries.collect::<io::Result<Vec<PathBuf>>>()?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
        files.sort();
        let _ = writeln!(list, "const {constant}: &[&str] = &[");
        for file in files {
            let _ = writeln!(list, "    include_str!({:?}),", file.display().to_string());
        }
        list.push_str("];\n");
    }
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("files.rs"), list)
}
