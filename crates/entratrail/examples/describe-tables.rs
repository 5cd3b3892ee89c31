//! Prints the page that describes the tables: `docs/tables.md`.

#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

fn main() {
    print!("{}", entratrail::table::document());
}
