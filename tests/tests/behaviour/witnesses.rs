//! What witnesses have signed, while others give more of it and runs go on.

use crate::evidence::{Keeper, LOG, append, first_day};
use entratrail::archive::Archive;
use entratrail::evidence::audit::Unsound;
use entratrail::evidence::cosignature::cosignatures;
use entratrail::evidence::cosigned::{cosigned, keep, latest};
use entratrail::evidence::note::SignedNote;
use entratrail_tests::folder::Folder;
use entratrail_tests::storage::Storage;

/// A note with the line of a witness that nobody knows.
fn signed_by(note: &str, witness: &str) -> SignedNote {
    SignedNote::parse(format!("{note}— {witness} AAAAAAAA\n").as_bytes()).unwrap()
}

/// Number of lines that the log has not made.
fn count(note: &SignedNote) -> usize {
    cosignatures(note, &[]).unwrap().len()
}

async fn check(archive: &Archive) {
    let keeper = Keeper::new();
    append(archive, first_day(), 0..2).await;
    let note = keeper.seal(archive).await.checkpoint.unwrap();
    let signed = keeper.read(archive).await;
    let [one, two, three] = ["one", "two", "three"].map(|witness| signed_by(&note, witness));
    let kept = tokio::join!(
        keep(archive, &signed, &one),
        keep(archive, &signed, &two),
        keep(archive, &signed, &three),
    );
    assert!(matches!(kept, (Ok(()), Ok(()), Ok(()))), "{kept:?}");
    let shown = latest(archive, LOG).await.unwrap().unwrap();
    assert_eq!(count(&SignedNote::parse(shown.as_bytes()).unwrap()), 3);

    append(archive, first_day(), 2..4).await;
    keeper.assert_sound(archive, 4).await;
    let signed = keeper.read(archive).await;
    let found = cosigned(archive, &signed).await.unwrap();
    let found: Vec<_> =
        found.iter().map(|kept| (kept.size, count(kept.note.as_ref().unwrap()))).collect();
    assert_eq!(found, [(2, 3)]);
    assert_eq!(latest(archive, LOG).await.unwrap(), Some(signed.note.clone()));
    // A checkpoint of another log of the same name is none of this one.
    let other = Keeper::new();
    let elsewhere = Folder::make();
    append(&elsewhere.archive(), first_day(), 0..2).await;
    let note = other.seal(&elsewhere.archive()).await.checkpoint.unwrap();
    let refused = keep(archive, &signed, &signed_by(&note, "one")).await;
    assert!(matches!(refused, Err(Unsound::Broken(_))), "{refused:?}");
}

#[tokio::test]
async fn witnesses_who_come_at_once_and_runs_after_them_drop_nothing_in_a_folder() {
    check(&Folder::make().archive()).await;
}

#[tokio::test(start_paused = true)]
async fn witnesses_who_come_at_once_and_runs_after_them_drop_nothing_in_a_bucket() {
    check(&Storage::start().await.archive()).await;
}
