//! The reference of scenarios in the README.

use graph_simulator::Scenario;

/// Scenarios with one word that does not exist, in every place that has words of its own.
const WRONG: [&str; 37] = [
    "zzz = 1",
    "[clock]\nzzz = 1",
    "[tenant]\nzzz = 1",
    "[tenant]\nlicence = 'zzz'",
    "[tenant]\nsecret_state = 'zzz'",
    "[tenant]\napp_state = 'zzz'",
    "[tenant.person]\nzzz = 1",
    "[tenant.person]\nanswer = 'zzz'",
    "[tenant.federation]\nzzz = 1",
    "[limits]\nzzz = 1",
    "[limits]\nretry_after = 'zzz'",
    "[limits]\ntoken_numbers = 'zzz'",
    "[[volume]]\nzzz = 1",
    "[[volume]]\nstream = 'zzz'",
    "[[volume]]\nshape = 'zzz'",
    "[[volume]]\nlate = { zzz = 1 }",
    "[[volume]]\nlate_by_hours = { zzz = 1 }",
    "[[volume]]\nchanged = { zzz = 1 }",
    "[[odd]]\nzzz = 1",
    "[[odd]]\nkind = 'zzz'",
    "[[story]]\nzzz = 1",
    "[[story]]\nkind = 'zzz'",
    "[[paging]]\nzzz = 1",
    "[[paging]]\norder = 'zzz'",
    "[[paging]]\nboundary = 'zzz'",
    "[[paging]]\nempty = { zzz = 1 }",
    "[[paging]]\nempty = { at = 'zzz' }",
    "[writer]\nzzz = 1",
    "[faults]\nzzz = 1",
    "[faults]\nfirst_call = 'zzz'",
    "[[faults.script]]\nzzz = 1",
    "[[faults.script]]\non = 'zzz'",
    "[[faults.chain]]\nzzz = 1",
    "[[faults.chain]]\nkind = 'zzz'",
    "[collect]\nzzz = 1",
    "[collect]\nlog = 'zzz'",
    "[expect]\nzzz = 1",
];

#[test]
fn the_readme_names_every_word_of_a_scenario() {
    let readme = include_str!("../../README.md");
    let mut missing: Vec<String> = Vec::new();
    for wrong in WRONG {
        let error = Scenario::from_toml(&format!("name = 'x'\n{wrong}")).unwrap_err().to_string();
        let (_, expected) =
            error.split_once("expected").unwrap_or_else(|| panic!("{wrong}: {error}"));
        let words: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        assert!(!words.is_empty(), "{wrong}: {error}");
        let is_missing = |word: &&str| !readme.contains(&format!("- `{word}`: "));
        missing.extend(words.into_iter().filter(is_missing).map(str::to_owned));
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_example_of_the_readme_can_be_played() {
    let readme = include_str!("../../README.md");
    let mut examples = 0;
    for block in readme.split("```toml\n").skip(1) {
        let (scenario, _) = block.split_once("```").unwrap();
        Scenario::from_toml(scenario).unwrap_or_else(|error| panic!("{error}: {scenario}"));
        examples += 1;
    }
    assert_eq!(examples, 3);
}
