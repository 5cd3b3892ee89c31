//! The demo, as somebody sees it who has nothing at all.

use local_aws::wait_past_midnight;

use crate::stage::{plain_command, run};
use serde_json::Value;

#[test]
fn the_demo_ends_with_a_verified_archive_and_a_second_one_has_nothing_to_do() {
    wait_past_midnight();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let first = run(&mut plain_command(&["demo", "--folder", folder]));
    assert_eq!(first.status, Some(0), "{}{}", first.stdout, first.stderr);
    for part in ["Yesterday", "Today", "interactiveUser", "##", "Nothing is wrong", folder] {
        assert!(first.stdout.contains(part), "{part} in\n{}", first.stdout);
    }
    let second = run(&mut plain_command(&["demo", "--folder", folder]));
    assert_eq!(second.status, Some(0), "{}{}", second.stdout, second.stderr);
    for log in ["sign-ins          ", "directory-audits  "] {
        assert!(
            second.stdout.contains(&format!("{log}nothing is left to do")),
            "{}",
            second.stdout
        );
    }

    let page = std::fs::read_to_string(format!("{folder}/report.html")).unwrap();
    assert!(page.contains("Which addresses try the passwords of many users?"));

    let archive = format!("{folder}/archive");
    let json = run(&mut plain_command(&["verify", "--archive", &archive, "--json"]));
    let result: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(result["streams"].as_array().unwrap().len(), 5);
    let states: Vec<_> = result["streams"][0]["days"].as_object().unwrap().values().collect();
    assert!(states.contains(&&Value::from("verified")), "{states:?}");
}
