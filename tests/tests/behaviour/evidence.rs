//! The signed log while runs die and meet: one history, no false alarm, and no healed forgery.

use chrono::{DateTime, Days, NaiveDate, Utc};
use entratrail::archive::Archive;
use entratrail::config::Config;
use entratrail::evidence::audit::SignedLog;
use entratrail::evidence::sealing::seal;
use entratrail::evidence::signer::Signer;
use entratrail::evidence::stamping::stamp;
use entratrail::ledger::{Origin, ReadResult, ReadRow};
use entratrail::log::{Log, Stream};
use entratrail::report::Sealed;
use entratrail::window::Window;
use entratrail_lambda::parameters::Identity;
use entratrail_tests::folder::{Folder, kill_after};
use entratrail_tests::parameter_store::ParameterStore;
use entratrail_tests::storage::{Moment, Point, Step, Storage};
use entratrail_tests::time_stamps::{Service, TimeStamps};
use std::path::Path;
use std::time::Instant;
use tempfile::TempDir;

pub(crate) const LOG: Log = Log::DirectoryAudits;

pub(crate) struct Keeper {
    signer: Signer,
    _folder: TempDir,
}

impl Keeper {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let signer = Signer::in_file(&folder.path().join("key")).unwrap();
        Self { signer, _folder: folder }
    }

    pub(crate) async fn seal(&self, archive: &Archive) -> Sealed {
        seal(archive, LOG, Ok(&self.signer)).await
    }

    pub(crate) async fn read(&self, archive: &Archive) -> SignedLog {
        SignedLog::read(archive, LOG, &self.signer.verifier_keys(LOG)).await.unwrap().unwrap()
    }

    /// Expects that all is signed, and exactly what is there.
    pub(crate) async fn assert_sound(&self, archive: &Archive, rows: u64) {
        let sealed = self.seal(archive).await;
        assert_eq!((sealed.alarms, sealed.delayed, sealed.waiting), (vec![], None, Some(0)));
        let signed = self.read(archive).await;
        let check = signed.check_ledgers(archive).await.unwrap();
        assert_eq!((check.problems, check.pending, signed.tree.size), (vec![], 0, rows));
    }
}

pub(crate) fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 1).unwrap()
}

/// Read that failed, number `number` of that day.
fn row(day: NaiveDate, number: u32) -> ReadRow {
    let window = Window::whole_day(day);
    let started_at: DateTime<Utc> = window.end() + chrono::TimeDelta::minutes(number.into());
    ReadRow {
        window,
        read: 1,
        started_at,
        finished_at: started_at,
        result: ReadResult::Failed { error: "Graph was down".to_owned() },
        requests: 9,
        retries: 8,
        origin: Some(Origin::new(None)),
    }
}

pub(crate) async fn append(archive: &Archive, day: NaiveDate, numbers: std::ops::Range<u32>) {
    let rows: Vec<_> = numbers.map(|number| row(day, number)).collect();
    archive.append(Stream::DirectoryAudits, day, &rows).await.unwrap();
}

#[tokio::test]
async fn a_seal_that_is_killed_anywhere_in_a_folder_is_finished_by_the_next() {
    for turns in 0..100 {
        let folder = Folder::make();
        let archive = folder.archive();
        let keeper = Keeper::new();
        append(&archive, first_day(), 0..2).await;
        let _ = kill_after(turns, keeper.seal(&archive)).await;
        append(&archive, first_day() + Days::new(1), 0..1).await;
        let beside = folder.archive();
        let killed = kill_after(turns / 2, keeper.seal(&archive));
        let (one, other) = tokio::join!(killed, keeper.seal(&beside));
        for sealed in one.into_iter().chain([other]) {
            assert_eq!(sealed.alarms, [""; 0], "killed after {turns}");
        }
        keeper.assert_sound(&archive, 3).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_seal_that_is_killed_at_any_write_in_a_bucket_is_finished_by_the_next() {
    // head, bundle, tile, kept checkpoint, checkpoint.
    for nth in 1..=5 {
        for moment in [Moment::Before, Moment::After] {
            let storage = Storage::start().await;
            let archive = storage.archive();
            let keeper = Keeper::new();
            append(&archive, first_day(), 0..2).await;
            let killed = storage
                .kill_at(Point { step: Step::PutObject, nth, moment }, keeper.seal(&archive))
                .await;
            assert!(killed.is_none(), "the seal did not come to write {nth}");
            append(&archive, first_day(), 2..4).await;
            let (one, other) = tokio::join!(keeper.seal(&archive), keeper.seal(&archive));
            assert_eq!(
                (one.alarms, other.alarms),
                (vec![], vec![]),
                "killed {moment:?} write {nth}"
            );
            keeper.assert_sound(&archive, 4).await;
        }
    }
}

/// Seals, has somebody change the archive's folder, and expects that the next honest run signs
/// nothing and says so.
async fn check_alarm(change: impl FnOnce(&Path, &[u8]), part: &str) {
    let folder = Folder::make();
    let archive = folder.archive();
    let keeper = Keeper::new();
    append(&archive, first_day(), 0..3).await;
    keeper.seal(&archive).await;
    let checkpoint = folder.path().join("proof/directory-audits/checkpoint");
    let early = std::fs::read(&checkpoint).unwrap();
    for number in 3..5 {
        append(&archive, first_day(), number..number + 1).await;
        keeper.seal(&archive).await;
    }
    change(&folder.path(), &early);
    append(&archive, first_day() + Days::new(1), 0..1).await;
    let before = std::fs::read(&checkpoint).unwrap();
    let sealed = keeper.seal(&archive).await;
    assert!(sealed.alarms.iter().any(|alarm| alarm.contains(part)), "{part}: {sealed:?}");
    let size = |note: &[u8]| String::from_utf8_lossy(note).lines().nth(1).unwrap().to_owned();
    let after = std::fs::read(&checkpoint).unwrap();
    let signs_more = size(&after) != size(&before);
    // Rows of files that are as they were are signed all the same.
    assert_eq!(signs_more, part == "is not what the log has", "{part}");
}

#[tokio::test]
async fn an_honest_run_does_not_heal_what_others_have_changed() {
    let ledger = "ledger/directory-audits/day=2026-11-01.ndjson";
    let log = "proof/directory-audits";
    let edit = |root: &Path| {
        let text = std::fs::read_to_string(root.join(ledger)).unwrap();
        std::fs::write(root.join(ledger), text.replace("down", "done!")).unwrap();
    };
    check_alarm(|root, _| edit(root), "is not what the log has").await;
    check_alarm(
        |root, early| std::fs::write(root.join(log).join("checkpoint"), early).unwrap(),
        "rolled back",
    )
    .await;
    let roll_back = |root: &Path, early: &[u8]| {
        let path = root.join(log).join("head");
        let head = std::fs::read_to_string(&path).unwrap();
        let mut head: serde_json::Value = serde_json::from_str(&head).unwrap();
        head["from"] = 0.into();
        head["size"] = 3.into();
        let text = std::fs::read_to_string(root.join(ledger)).unwrap();
        let entries: Vec<_> =
            text.lines().take(3).map(|line| format!("{ledger}\n{line}")).collect();
        head["entries"] = entries.into();
        head["cursors"][ledger] = serde_json::json!({"rows": 3, "bytes": 0});
        std::fs::write(path, head.to_string()).unwrap();
        std::fs::write(root.join(log).join("checkpoint"), early).unwrap();
        edit(root);
    };
    check_alarm(roll_back, "was rolled back: the signer has signed a longer log").await;
}

#[tokio::test]
async fn a_new_key_is_trusted_because_the_old_one_has_signed_it() {
    let folder = Folder::make();
    let archive = folder.archive();
    let keys = tempfile::tempdir().unwrap();
    let path = keys.path().join("key");
    let other = keys.path().join("other");
    let old = Signer::in_file(&path).unwrap();
    append(&archive, first_day(), 0..2).await;
    assert_eq!(seal(&archive, LOG, Ok(&old)).await.waiting, Some(0));
    Signer::in_file(&other).unwrap();
    let new = std::fs::read_to_string(&other).unwrap();
    std::fs::write(&path, new.clone() + &std::fs::read_to_string(&path).unwrap()).unwrap();
    let both = Signer::in_file(&path).unwrap();
    assert_eq!(seal(&archive, LOG, Ok(&both)).await.alarms, [""; 0]);
    std::fs::write(&path, new).unwrap();
    let new = Signer::in_file(&path).unwrap();
    append(&archive, first_day(), 2..3).await;
    assert_eq!(seal(&archive, LOG, Ok(&new)).await.alarms, [""; 0]);
    for signer in [&old, &new] {
        let signed =
            SignedLog::read(&archive, LOG, &signer.verifier_keys(LOG)).await.unwrap().unwrap();
        assert_eq!(signed.tree.size, 4, "three rows and a key");
    }
    let alarms = seal(&archive, LOG, Ok(&old)).await.alarms;
    assert!(alarms[0].contains("is not this key's"), "{alarms:?}");
}

#[tokio::test]
async fn of_two_runs_that_sign_at_once_the_longer_log_is_remembered_in_parameter_store() {
    const MEMORY: &str = "/entratrail/evidence-signed-directory-audits";
    let store = ParameterStore::start().await;
    let keys = tempfile::tempdir().unwrap();
    Signer::in_file(&keys.path().join("key")).unwrap();
    store.put("/entratrail/evidence-id", "0123456789abcdef0123456789abcdef");
    store.put(
        "/entratrail/evidence-key",
        &std::fs::read_to_string(keys.path().join("key")).unwrap(),
    );
    let variables = |name: &str| match name {
        "ARCHIVE_BUCKET" => Some("archive".to_owned()),
        "PARAMETER_PREFIX" => Some("/entratrail".to_owned()),
        "EVIDENCE" => Some("parameter".to_owned()),
        _ => None,
    };
    let config = Config::read(variables).unwrap();
    let signer = Identity::new(&store.config()).signer(&config).await.unwrap().unwrap();
    let folder = Folder::make();
    let archive = folder.archive();
    append(&archive, first_day(), 0..2).await;
    assert_eq!(seal(&archive, LOG, Ok(&signer)).await.alarms, [""; 0]);
    let size = |value: Option<String>| value.unwrap().lines().next().unwrap().to_owned();
    assert_eq!(size(store.value(MEMORY)), "2");
    // A seal looks when it begins, when its tiles are out, and once more before it writes.
    let longer = store.value(MEMORY).unwrap().replacen("2\n", "9\n", 1);
    store.write_after_looks(MEMORY, 3, &longer);
    append(&archive, first_day(), 2..3).await;
    let alarms = seal(&archive, LOG, Ok(&signer)).await.alarms;
    assert_eq!(store.value(MEMORY), Some(longer));
    assert!(
        alarms[0].contains("was rolled back"),
        "this archive has no log of nine entries: {alarms:?}"
    );
}

#[tokio::test]
async fn a_checkpoint_is_stamped_once_and_by_an_answer_to_its_own_question_alone() {
    let folder = Folder::make();
    let archive = folder.archive();
    let keeper = Keeper::new();
    append(&archive, first_day(), 0..3).await;
    let note = keeper.seal(&archive).await.checkpoint.unwrap();
    let stamp_of = async |service: &TimeStamps| {
        stamp(&archive, LOG, &note, &service.url().parse().unwrap()).await
    };
    let path = folder.path().join("proof/directory-audits/checkpoints/3.tsr");
    for (service, part) in
        [(Service::Down, "status 503"), (Service::OfSomethingElse, "another checkpoint")]
    {
        let refused = stamp_of(&TimeStamps::start(service).await).await.unwrap_err().to_string();
        assert!(refused.contains(part) && !path.exists(), "{refused}");
    }
    let service = TimeStamps::start(Service::Sound).await;
    stamp_of(&service).await.unwrap();
    let kept = std::fs::read(&path).unwrap();
    stamp_of(&service).await.unwrap();
    assert_eq!((service.asked(), std::fs::read(&path).unwrap()), (1, kept));
    // Whoever reads the log, or goes on with it, is not disturbed by what lies beside checkpoints.
    append(&archive, first_day(), 3..4).await;
    keeper.assert_sound(&archive, 4).await;
}

#[tokio::test]
async fn ten_years_of_rows_are_checked_in_seconds() {
    let folder = Folder::make();
    let archive = folder.archive();
    let keeper = Keeper::new();
    for day in first_day().iter_days().take(365) {
        append(&archive, day, 0..100).await;
    }
    keeper.assert_sound(&archive, 36_500).await;
    let started = Instant::now();
    let signed = keeper.read(&archive).await;
    let took = started.elapsed();
    let proof = signed.proof(20_000);
    println!("36,500 entries checked in {took:?}; a proof has {} bytes", proof.len());
    assert!(proof.len() < 20_000 && took.as_secs() < 20, "{took:?}");
}
