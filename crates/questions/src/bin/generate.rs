//! Writes what is generated from the SQL, below the folder that its argument names.

#![expect(clippy::print_stdout, reason = "a command speaks to a terminal")]

use entratrail_questions::generated;
use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let root = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    for file in generated::files(&root)? {
        let path = root.join(file.path);
        if std::fs::read_to_string(&path).is_ok_and(|found| found == file.content) {
            continue;
        }
        std::fs::write(&path, &file.content)?;
        println!("{}", file.path);
    }
    Ok(())
}
