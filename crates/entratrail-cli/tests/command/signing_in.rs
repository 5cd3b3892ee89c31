//! Credentials in every form, a clock that is wrong, and that the secret stays secret.

use crate::stage::{Ended, Stage, TENANT, plain_command, run};
use chrono::{TimeDelta, Utc};
use graph_simulator::RequestKind;

/// A tenant whose person needs no patience.
fn with_person(person: &str) -> String {
    format!("{TENANT}[tenant.person]\ninterval_seconds = 1\n{person}\n")
}

/// `entratrail collect --sign-in` without any credential in the environment.
fn sign_in(stage: &Stage) -> Ended {
    let mut command = stage.collect();
    for part in ["TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"] {
        command.env_remove(format!("ENTRATRAIL_{part}"));
    }
    run(command.arg("--sign-in"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_a_code_and_needs_no_app_registration() {
    let stage = Stage::set(&with_person("thinks = 2")).await;
    let ended = sign_in(&stage);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("open https://microsoft.com/devicelogin and enter the code"),
        "{}",
        ended.stderr
    );
    let asked = stage.simulator.requests();
    let count = |kind| asked.iter().filter(|request| request.kind == kind).count();
    assert_eq!((count(RequestKind::DeviceCode), count(RequestKind::Token)), (1, 3));
    assert!(asked[0].path_and_query.starts_with("/organizations/"));
    stage.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sign_in_of_a_person_is_renewed_without_them() {
    // The command takes its token for old after a second and asks for the next one. The tenant's
    // clock stands still, so that no token is too old, however long the command takes to use it.
    let short = with_person("thinks = 0")
        .replace("requests_per_10s = 0", "requests_per_10s = 0\ntoken_lifetime_seconds = 1")
        .replace("[limits]", "[clock]\nspeed = 0\n[limits]");
    let stage = Stage::set(&short.replace("[limits]", "[limits]\npage_latency_ms = 300")).await;
    let ended = sign_in(&stage);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let asked = stage.simulator.requests();
    assert_eq!(asked.iter().filter(|request| request.kind == RequestKind::DeviceCode).count(), 1);
    assert!(asked.iter().filter(|request| request.kind == RequestKind::Token).count() > 1);
    stage.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_decline_or_lack_the_role() {
    let declines = Stage::set(&with_person("answer = 'declines'")).await;
    sign_in(&declines).assert_complains(2, &["the sign-in was declined"]);
    let lacks = Stage::set(&with_person("has_role = false")).await;
    sign_in(&lacks).assert_complains(2, &["Reports Reader"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signing_in_ends_with_the_code() {
    let stage = Stage::set(&with_person("answer = 'never'")).await;
    let child =
        stage.collect().arg("--sign-in").stderr(std::process::Stdio::piped()).spawn().unwrap();
    while !stage.simulator.requests().iter().any(|request| request.kind == RequestKind::Token) {
        tokio::task::yield_now().await;
    }
    // The code is good for a quarter of an hour of Entra's time.
    stage.simulator.set_now(Utc::now() + TimeDelta::minutes(16));
    let ended = Ended::of(&child.wait_with_output().unwrap());
    ended.assert_complains(2, &["nobody signed in before the code expired"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_by_hours_is_refused() {
    for (hours, words) in [(3, "minutes behind Entra"), (-3, "minutes ahead of Entra")] {
        let stage = Stage::set(TENANT).await;
        stage.simulator.set_now(Utc::now() + TimeDelta::hours(hours));
        run(&mut stage.collect()).assert_complains(2, &["clock", words, "nothing was read"]);
        assert_eq!(stage.page_requests(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_variables_of_microsofts_tools_are_understood() {
    let stage = Stage::set(TENANT).await;
    let tenant = &stage.simulator.scenario().tenant;
    let mut command = stage.collect();
    for (part, value) in [
        ("TENANT_ID", &tenant.id),
        ("CLIENT_ID", &tenant.client_id),
        ("CLIENT_SECRET", &tenant.client_secret),
    ] {
        command.env_remove(format!("ENTRATRAIL_{part}")).env(format!("AZURE_{part}"), value);
    }
    assert_eq!(run(&mut command).status, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_wrong_credential_is_named_as_its_owner_knows_it() {
    let stage = Stage::set(TENANT).await;
    let with = |part: &str, value: &str| {
        let mut command = stage.collect();
        command.env(format!("ENTRATRAIL_{part}"), value);
        run(&mut command)
    };
    with("CLIENT_SECRET", "").assert_complains(2, &["set ENTRATRAIL_CLIENT_SECRET", "--sign-in"]);
    with("TENANT_ID", "contoso").assert_complains(2, &["ENTRATRAIL_TENANT_ID holds \"contoso\""]);
    with("CLIENT_ID", "x").assert_complains(2, &["ENTRATRAIL_CLIENT_ID holds \"x\""]);
    with("CLIENT_SECRET", "5e1c0f5a-2b7d-4f3e-9a51-0b8f1d6c7e20")
        .assert_complains(2, &["is the id of a client secret"]);
    with("CLIENT_SECRET", "wrong")
        .assert_complains(2, &["AADSTS7000215", "ENTRATRAIL_CLIENT_SECRET"]);
    run(stage.collect().args(["--certificate", "no-such.pem"]))
        .assert_complains(2, &["no-such.pem"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_takes_the_place_of_the_secret() {
    let stage = Stage::set(TENANT).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.pem");
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["laptop".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap().pem();
    std::fs::write(&file, key.serialize_pem() + &certificate).unwrap();
    stage.simulator.register_certificate(&certificate).unwrap();
    let ended =
        run(stage.collect().env_remove("ENTRATRAIL_CLIENT_SECRET").arg("--certificate").arg(&file));
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_is_never_an_argument_nor_printed() {
    let stage = Stage::set(TENANT).await;
    let secret = &stage.simulator.scenario().tenant.client_secret;
    let mut outputs = vec![
        run(&mut plain_command(&["--help"])),
        run(&mut plain_command(&["collect", "--help"])),
        run(&mut stage.collect()),
        run(stage.collect().arg("--json")),
        run(&mut stage.verify()),
    ];
    stage.simulator.set_faults(graph_simulator::Faults::default());
    outputs.push(run(stage
        .collect()
        .env("ENTRATRAIL_TENANT_ID", "0b1a7c2e-0000-4000-8000-000000000000")));
    for ended in outputs {
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret));
        assert!(!ended.stdout.contains("--client-secret") && !ended.stdout.contains("--secret"));
    }
}
