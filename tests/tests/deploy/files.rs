//! What linters and a second opinion say of the template and the script.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::operator::{checkout, tool};

fn run(program: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut process = Command::new(program)
        .args(arguments)
        .current_dir(checkout())
        .env("AWS_DEFAULT_REGION", "eu-central-1")
        .env("SAM_CLI_TELEMETRY", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let written = process.stdin.take().expect("it has a standard input").write_all(input);
    let output = process.wait_with_output().expect("it ends");
    assert!(written.is_ok() || input.is_empty());
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{} {arguments:?}:\n{out}{err}", program.display());
    output
}

/// The template as JSON.
pub(crate) fn template() -> Value {
    template_of(Path::new("template.yaml"))
}

/// A template as JSON.
pub(crate) fn template_of(path: &Path) -> Value {
    parsed(&["tests/tests/deploy/transform.py", path.to_str().expect("a path of ours")], b"")
}

fn parsed(arguments: &[&str], input: &[u8]) -> Value {
    serde_json::from_slice(&run(&tool("python"), arguments, input).stdout)
        .expect("the script prints JSON")
}

#[test]
fn the_linters_find_nothing() {
    run(&tool("cfn-lint"), &["template.yaml"], b"");
    run(
        &tool("sam"),
        &["validate", "--lint", "--template", "template.yaml", "--region", "eu-central-1"],
        b"",
    );
    let scripts = ["install-tools", "package", "preflight", "rustc"]
        .map(|name| format!("xtask/scripts/{name}"));
    let scripts: Vec<&str> = scripts.iter().map(String::as_str).chain(["deploy.sh"]).collect();
    run(&tool("shellcheck"), &scripts, b"");
}

#[test]
fn the_programs_of_deploy_sh_pass_their_own_tests() {
    run(Path::new("python3"), &["-B", "-m", "unittest", "discover", "-s", "deploy/tests"], b"");
}

/// The oldest Python that is promised, where this machine has none.
#[test]
fn the_programs_of_deploy_sh_are_python_3_8() {
    const PARSE: &str = "import ast, sys; ast.parse(sys.stdin.read(), feature_version=(3, 8))";
    for program in programs() {
        let source = std::fs::read(&program).unwrap();
        run(Path::new("python3"), &["-c", PARSE], &source);
    }
}

#[test]
fn deploy_sh_is_a_door_and_not_a_house() {
    let script = std::fs::read_to_string(checkout().join("deploy.sh")).unwrap();
    assert!(script.lines().count() < 400, "{} lines", script.lines().count());
    for file in programs().into_iter().chain([checkout().join("deploy.sh")]) {
        let text = std::fs::read_to_string(&file).unwrap();
        let long = text.lines().find(|line| line.chars().count() > 100);
        assert_eq!(long, None, "{}", file.display());
        for word in ["eval ", "eval(", "exec(", "python3 -c", "source \"", "bash -c"] {
            assert!(!text.contains(word), "{} has {word}", file.display());
        }
    }
    // Newer than bash 3.2, or of GNU alone.
    for word in [
        "declare -A",
        "mapfile",
        "readarray",
        "${1,,}",
        "${1^^}",
        "date -d",
        "sed -i",
        "readlink -f",
        "&>>",
    ] {
        assert!(!script.contains(word), "deploy.sh has {word}");
    }
}

#[test]
fn every_program_of_deploy_sh_explains_itself() {
    let commands = programs().into_iter().filter(|program| {
        std::fs::read_to_string(program).unwrap().contains("__name__ == \"__main__\"")
    });
    let commands: Vec<_> = commands.collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let help =
            run(Path::new("python3"), &["-B", command.to_str().unwrap(), "--help"], b"").stdout;
        assert!(String::from_utf8_lossy(&help).contains("usage: "), "{}", command.display());
    }
}

/// The programs read the template without a YAML library.
#[test]
fn the_settings_know_every_parameter_of_the_template() {
    let known = run(Path::new("python3"), &["-B", "deploy/settings.py", "parameters"], b"").stdout;
    let known: BTreeSet<String> =
        String::from_utf8_lossy(&known).lines().map(str::to_owned).collect();
    let template = template();
    assert_eq!(known, template["Parameters"].as_object().unwrap().keys().cloned().collect());
}

fn programs() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(checkout().join("deploy")).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "py")).collect()
}

pub(crate) fn every_parameter_is_explained_limited_and_in_a_group(template: &Value) {
    let groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        .as_array()
        .unwrap();
    let grouped: Vec<_> =
        groups.iter().flat_map(|group| group["Parameters"].as_array().unwrap()).collect();
    let parameters = template["Parameters"].as_object().unwrap();
    assert_eq!(grouped.len(), parameters.len());
    for (name, parameter) in parameters {
        assert!(grouped.iter().any(|grouped| *grouped == name), "{name} is in no group");
        assert!(
            parameter["Description"].as_str().is_some_and(|text| text.len() > 40),
            "{name} is not explained"
        );
        let limits = ["AllowedValues", "AllowedPattern", "MinValue"];
        assert!(
            limits.iter().any(|limit| parameter.get(limit).is_some()),
            "{name} may be anything"
        );
        assert!(
            parameter.get("AllowedPattern").is_none()
                || parameter.get("ConstraintDescription").is_some(),
            "{name}"
        );
        assert!(
            parameter.get("Default").is_some() || name == "AlarmEmail",
            "{name} has no default"
        );
    }
}

pub(crate) fn every_variable_of_the_functions_is_set(template: &Value) {
    let of = |place: &Value| place["Environment"]["Variables"].as_object().unwrap().clone();
    let mut variables = of(&template["Globals"]["Function"]);
    variables.extend(of(&template["Resources"]["FindingsFunction"]["Properties"]));
    let readme = std::fs::read_to_string(checkout().join("docs/configuration.md")).unwrap();
    let rows = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter(|row| row.contains("` |"));
    let cells = rows.filter_map(|row| row.split('|').next());
    let documented: Vec<_> =
        cells.flat_map(|cell| cell.split('`')).filter(|name| is_variable(name)).collect();
    assert!(documented.len() > 10, "{documented:?}");
    for name in documented.into_iter().filter(|name| *name != "STOP_BEFORE_DEADLINE_SECONDS") {
        assert!(variables.contains_key(name), "{name} is not in template.yaml");
    }
}

fn is_variable(name: &str) -> bool {
    name.len() > 3 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

pub(crate) fn every_alarm_tells_what_to_do_and_clears_by_itself(template: &Value) {
    let alarms: Vec<_> = template["Resources"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm")
        .collect();
    assert_eq!(alarms.len(), 25);
    for (name, alarm) in alarms {
        let alarm = &alarm["Properties"];
        let text = alarm["AlarmDescription"]["Fn::Sub"].as_str().unwrap();
        assert!(
            text.contains("Do: ") && text.contains("Clears by itself") && text.len() <= 1024,
            "{name}: {text}"
        );
    }
    let credential = &template["Resources"]["CredentialExpiring"]["Condition"];
    assert_eq!(credential, "CredentialCanExpire");
}

/// No emulator takes these from a template.
pub(crate) fn current_objects_never_end(template: &Value) {
    let rules = &template["Resources"]["Archive"]["Properties"]["LifecycleConfiguration"]["Rules"];
    let rules = rules.as_array().unwrap();
    let ids: Vec<_> = rules.iter().map(|rule| rule["Id"].as_str().unwrap()).collect();
    let replaced = ["replaced-versions", "replaced-tables", "replaced-memory-of-findings"];
    let known = [&["unfinished-uploads"][..], &replaced, &["raw-to-cheaper-storage"]].concat();
    assert_eq!(ids, known);
    let ends =
        |rule: &Value| rule.as_object().unwrap().keys().any(|key| key.starts_with("Expiration"));
    assert!(!rules.iter().any(ends), "{rules:?}");
}

#[test]
fn a_second_emulator_takes_the_transformed_template() {
    let plain =
        run(&tool("python"), &["tests/tests/deploy/transform.py", "--plain", "template.yaml"], b"")
            .stdout;
    let seen = parsed(&["-W", "ignore", "tests/tests/deploy/second-opinion.py"], &plain);
    assert_eq!(seen["status"], "CREATE_COMPLETE");
    assert_eq!(seen["encryption"], "aws:kms"); // the first emulator leaves this out
    let functions = ["entratrail-audit-logs", "entratrail-findings", "entratrail-sign-in-logs"];
    assert_eq!(seen["functions"], serde_json::json!(functions));
    for kind in [
        "AWS::KMS::Key",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::IAM::Role",
        "AWS::Events::Rule",
    ] {
        assert!(seen["kinds"].as_array().unwrap().iter().any(|seen| seen == kind), "{seen}");
    }
}
