//! The stack's data sets of `QuickSight`.

use crate::{DataSet, View, data_sets, views};
use std::fmt::Write as _;

/// Every data set, for whoever names a user of `QuickSight`.
pub(super) fn resources() -> String {
    let views = views();
    data_sets().iter().map(|data_set| resource(data_set, &views)).collect()
}

fn resource(data_set: &DataSet, views: &[View]) -> String {
    let name = &data_set.id;
    let mut text = format!(
        "  {}:
    Type: AWS::QuickSight::DataSet
    Condition: ShowsInQuickSight
    Properties:
      AwsAccountId: !Ref AWS::AccountId
      DataSetId: !Sub ${{AWS::StackName}}-{name}
      Name: !Sub ${{AWS::StackName}} {name}
      ImportMode: DIRECT_QUERY
      Permissions:
        - Principal: !Ref QuickSightUserArn
          Actions: [quicksight:DescribeDataSet, quicksight:DescribeDataSetPermissions, quicksight:PassDataSet, quicksight:DescribeIngestion, quicksight:ListIngestions]
      PhysicalTableMap:
        answer:
          CustomSql:
            DataSourceArn: !GetAtt QuickSightSource.Arn
            Name: {name}
            SqlQuery: !Sub |
",
        data_set.logical_id()
    );
    for line in data_set.sql.lines() {
        let _ = writeln!(text, "              {}", of_the_database(line, views));
    }
    text.push_str("            Columns:\n");
    for column in &data_set.columns {
        let of = quicksight_type(&column.glue_type);
        let _ = writeln!(text, "              - {{ Name: {}, Type: {of} }}", column.name);
    }
    if let Some(country) = &data_set.country {
        let _ = write!(
            text,
            "      LogicalTableMap:
        located:
          Alias: {name}
          Source: {{ PhysicalTableId: answer }}
          DataTransforms:
            - TagColumnOperation: {{ ColumnName: {country}, Tags: [{{ ColumnGeographicRole: COUNTRY }}] }}
"
        );
    }
    text + "\n"
}

/// `line` with the database before the view that it reads: `QuickSight` asks in none.
fn of_the_database(line: &str, views: &[View]) -> String {
    match line.strip_prefix("FROM ") {
        Some(name) if views.iter().any(|view| view.name == name) => {
            format!("FROM \"${{Database}}\".{name}")
        }
        _ => line.to_owned(),
    }
}

/// A type of the catalogue as `QuickSight` calls it, which knows a date as an instant.
fn quicksight_type(glue: &str) -> &'static str {
    match glue {
        "int" | "bigint" => "INTEGER",
        "double" => "DECIMAL",
        "boolean" => "BOOLEAN",
        "date" | "timestamp" => "DATETIME",
        _ => "STRING",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_set_names_its_database_once() {
        for data_set in data_sets() {
            let text = resource(&data_set, &views());
            assert_eq!(text.matches("FROM \"${Database}\".").count(), 1, "{}", data_set.id);
        }
    }

    #[test]
    fn a_column_of_a_view_keeps_its_type() {
        for data_set in data_sets() {
            let views = views();
            let view =
                views.iter().find(|view| data_set.sql.contains(&format!("FROM {}\n", view.name)));
            let view = view.expect("a data set reads a view");
            for column in &data_set.columns {
                let of_view = view.columns.iter().find(|other| other.name == column.name);
                assert!(of_view.is_none_or(|other| other == column), "{}", column.name);
            }
        }
    }
}
