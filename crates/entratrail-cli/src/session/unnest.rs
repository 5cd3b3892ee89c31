//! How a view of the template makes a row of each entry of a list, and how that is said here.

use std::borrow::Cow;

/// What stands before the list in the join that makes the rows.
const JOIN: &str = "JOIN positions ON positions.size = least(coalesce(cardinality(";
/// What stands after it.
const END: &str = "), 0), 100)";

/// The SQL of a view with `unnest` in the place of a join with `positions`. Athena and `DataFusion` have no other way in
/// common, but the join carries the whole list to each of its entries. Here lists of more than 100 entries are seen whole.
pub(super) fn with_unnest(sql: &str) -> Cow<'_, str> {
    let list = sql.split_once(JOIN).and_then(|(_, rest)| rest.split_once(END)).map(|(list, _)| list);
    let Some(list) = list else { return Cow::Borrowed(sql) };
    let without_join = sql.replace(&format!("{JOIN}{list}{END}"), "");
    Cow::Owned(without_join.replace(&format!("{list}[positions.position]"), &format!("unnest({list})")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saved;

    #[test]
    fn the_policies_of_a_sign_in_are_unnested() {
        let views = saved::views();
        let view = views.iter().find(|view| view.name == "applied_policies").unwrap();
        let sql = with_unnest(&view.sql);
        assert!(
            sql.contains("unnest(applied_conditional_access_policies) AS policy\nFROM sign_ins"),
            "{sql}"
        );
        assert!(!sql.contains("positions"), "{sql}");
    }

    #[test]
    fn a_list_that_keeps_a_row_when_it_is_empty_stays_a_join() {
        let views = saved::views();
        let view = views.iter().find(|view| view.name == "directory_changes").unwrap();
        assert_eq!(with_unnest(&view.sql), view.sql);
    }
}
