//! The text of the mail: the gravest first, a sentence for each finding, and where to ask further.

use crate::checkpoints::LatestCheckpoint;
use crate::coverage::{self, Stream};
use crate::finding::{Answer, Finding};
use crate::told::News;
use chrono::NaiveDate;
use entratrail_questions::Severity;
use std::fmt::Write as _;

/// Sentences about one question; what is more is counted.
pub const MOST_OF_A_QUESTION: usize = 10;

/// Sentences of a mail. With the longest values it stays below the 256 KB of a notification.
pub const MOST_SENTENCES: usize = 60;

/// Characters of a subject, which SNS takes in ASCII alone.
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const LONGEST_SUBJECT: usize = 100;

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
}

/// Stack that the mail is about.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Name of the stack.
    pub stack: String,
    /// Account of it.
    pub account: String,
    /// Region of it.
    pub region: String,
    /// Host of the console, such as `console.aws.amazon.com`.
    pub console: String,
}

/// Everything that a mail tells.
#[derive(Debug, Clone, Copy)]
pub struct Contents<'run> {
    /// What is new.
    pub news: &'run News,
    /// The answers of the run.
    pub answers: &'run [Answer],
    /// Names of the questions that were not answered.
    pub unanswered: &'run [String],
    /// The archive, where the question about it was answered.
    pub streams: &'run [Stream],
    /// Latest checkpoints of the signed logs, in the mail of the week.
    pub checkpoints: &'run [LatestCheckpoint],
    /// Day of the run.
    pub today: NaiveDate,
}

/// The mail with these contents.
pub fn write(place: &Place, contents: &Contents<'_>) -> Mail {
    let subject = format!("EntraTrail {}: {}", place.stack, headline(contents.news));
    let subject = subject.chars().filter(|letter| letter.is_ascii() && !letter.is_control());
    Mail { subject: subject.take(LONGEST_SUBJECT).collect(), body: body(place, contents) }
}

fn headline(news: &News) -> String {
    let count =
        |severity| news.findings.iter().filter(|finding| finding.severity == severity).count();
    match (count(Severity::High), count(Severity::Medium)) {
        (0, 0) => "nothing new this week".to_owned(),
        (high, 0) => format!("{high} new findings of high severity"),
        (0, medium) => format!("{medium} new findings of medium severity"),
        (high, medium) => format!("{high} new findings of high and {medium} of medium severity"),
    }
    .replace("1 new findings", "1 new finding")
}

fn body(place: &Place, contents: &Contents<'_>) -> String {
    let Place { stack, account, region, .. } = place;
    let mut text =
        format!("Stack {stack}, account {account}, {region}: {}.\n", headline(contents.news));
    let mut room = MOST_SENTENCES;
    for severity in Severity::ALL {
        let grave: Vec<_> =
            contents.news.findings.iter().filter(|finding| finding.severity == severity).collect();
        if grave.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{}\n", heading(severity));
        for answer in contents.answers {
            let own: Vec<_> = grave
                .iter()
                .filter(|finding| finding.question == answer.question.id)
                .copied()
                .collect();
            if !own.is_empty() {
                question(&mut text, place, answer, &own, &mut room);
            }
        }
    }
    if !contents.unanswered.is_empty() {
        let names = contents.unanswered.join("\n- ");
        let _ = write!(
            text,
            "\nNot answered today; another mail says why, and the next run asks again:\n- {names}\n"
        );
    }
    archive(&mut text, contents);
    checkpoints(&mut text, contents.checkpoints);
    let _ = write!(
        text,
        "\nEach finding is told once. What it means and what to do: docs/findings.md. To stop \
         these mails: ./deploy.sh --stack {stack} --region {region} --set Findings=off\n"
    );
    text
}

fn heading(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "HIGH: somebody may be inside. Look today.",
        Severity::Medium => {
            "MEDIUM: a door was opened, or tried in earnest. Ask these people this week."
        }
        Severity::Low | Severity::Overview => "FOR INFORMATION",
    }
}

fn question(text: &mut String, place: &Place, answer: &Answer, own: &[&Finding], room: &mut usize) {
    let shown = own.len().min(MOST_OF_A_QUESTION).min(*room);
    *room -= shown;
    let _ = write!(text, "\n{}\n", answer.question.name);
    for finding in &own[..shown] {
        let _ = writeln!(text, "- {}", finding.sentence);
    }
    match own.len() - shown {
        0 => {}
        more if shown == 0 => {
            let _ = writeln!(text, "- {more} findings, for which this mail has no room");
        }
        more => {
            let _ = writeln!(text, "- and {more} more");
        }
    }
    let Place { region, console, .. } = place;
    let _ = writeln!(
        text,
        "Ask further: \
         https://{region}.{console}/athena/home?region={region}#/query-editor/history/{}",
        answer.execution_id
    );
}

fn archive(text: &mut String, contents: &Contents<'_>) {
    let Some(yesterday) = contents.today.pred_opt() else { return };
    let unread = coverage::unread(contents.streams, yesterday);
    if !unread.is_empty() {
        let _ = write!(
            text,
            "\nNot read yet when this was asked: {yesterday} of {}. The next runs ask about it \
             again.\n",
            unread.join(", ")
        );
    }
    if !contents.news.is_weekly || contents.streams.is_empty() {
        return;
    }
    let is_well = contents.streams.iter().all(|stream| stream.is_well);
    let verdict = if is_well {
        "all is well, nothing is missing"
    } else {
        "look at the days that are not proved"
    };
    let _ = write!(text, "\nThe archive, last 90 days: {verdict}.\n");
    for stream in contents.streams {
        let _ = writeln!(text, "- {}", stream.line);
    }
}

/// Shows what the mail is a witness of. Without a signed log there is nothing to say.
fn checkpoints(text: &mut String, latest: &[LatestCheckpoint]) {
    if latest.is_empty() {
        return;
    }
    text.push_str(
        "\nThe history of the ledger is signed up to these checkpoints. Keep this mail: saved each \
         as a file, entratrail verify --since tells whether anything before was changed since.\n",
    );
    for LatestCheckpoint { log, note } in latest {
        let _ = match note {
            Some(note) => write!(text, "\n{note}"),
            None => writeln!(
                text,
                "\nThe checkpoint of {} could not be read, or is not as EntraTrail writes it: \
                 entratrail verify --key tells more.",
                log.name()
            ),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoints::tests::example as checkpoint;
    use crate::coverage::tests::example;
    use entratrail::log::Log;
    use proptest::prelude::*;

    fn place() -> Place {
        Place {
            stack: "entratrail".to_owned(),
            account: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
            console: "console.aws.amazon.com".to_owned(),
        }
    }

    fn answer(id: &str) -> Answer {
        let question = entratrail_questions::questions().into_iter().find(|known| known.id == id);
        Answer {
            question: question.unwrap(),
            columns: vec![],
            rows: vec![],
            execution_id: format!("of-{id}"),
        }
    }

    fn found(answer: &Answer, sentence: &str) -> Finding {
        Finding {
            question: answer.question.id.clone(),
            severity: answer.question.severity,
            identity: sentence.to_owned(),
            sentence: sentence.to_owned(),
        }
    }

    #[test]
    fn the_gravest_come_first_with_question_and_link() {
        let (spray, grants) = (answer("password-spray"), answer("role-grants"));
        let news = News {
            findings: vec![
                found(&spray, "203.0.113.9 tried 23 users"),
                found(&grants, "ann gave a role to bob"),
            ],
            ..News::default()
        };
        let contents = Contents {
            news: &news,
            answers: &[spray, grants],
            unanswered: &["Which sign-ins are risky?".to_owned()],
            streams: &example(),
            checkpoints: &[],
            today: "2026-11-26".parse().unwrap(),
        };
        let mail = write(&place(), &contents);
        assert_eq!(
            mail.subject,
            "EntraTrail entratrail: 1 new finding of high and 1 of medium severity"
        );
        assert_eq!(
            mail.body,
            "Stack entratrail, account 111122223333, eu-central-1: 1 new finding of high and 1 of medium severity.

HIGH: somebody may be inside. Look today.

Which addresses try the passwords of many users?
- 203.0.113.9 tried 23 users
Ask further: https://eu-central-1.console.aws.amazon.com/athena/home?region=eu-central-1#/query-editor/history/of-password-spray

MEDIUM: a door was opened, or tried in earnest. Ask these people this week.

Who was given a role?
- ann gave a role to bob
Ask further: https://eu-central-1.console.aws.amazon.com/athena/home?region=eu-central-1#/query-editor/history/of-role-grants

Not answered today; another mail says why, and the next run asks again:
- Which sign-ins are risky?

Not read yet when this was asked: 2026-11-25 of interactiveUser. The next runs ask about it again.

Each finding is told once. What it means and what to do: docs/findings.md. To stop these mails: ./deploy.sh --stack \
             entratrail --region eu-central-1 --set Findings=off
"
        );
    }

    #[test]
    fn a_calm_week_says_that_all_is_well_and_how_complete_the_archive_is() {
        let news = News { is_weekly: true, ..News::default() };
        let streams: Vec<_> = example().into_iter().filter(|stream| stream.is_well).collect();
        let today = "2026-11-26".parse().unwrap();
        let contents = Contents {
            news: &news,
            answers: &[],
            unanswered: &[],
            streams: &streams,
            checkpoints: &[],
            today,
        };
        let mail = write(&place(), &contents);
        assert_eq!(mail.subject, "EntraTrail entratrail: nothing new this week");
        assert!(
            mail.body.contains("all is well, nothing is missing.\n- directoryAudits: 29 days"),
            "{}",
            mail.body
        );
        let streams = example();
        let worse = write(&place(), &Contents { streams: &streams, ..contents });
        assert!(worse.body.contains("look at the days that are not proved"), "{}", worse.body);
    }

    #[test]
    fn every_receiver_becomes_a_witness_where_the_history_is_signed() {
        let news = News { is_weekly: true, ..News::default() };
        let latest = [
            LatestCheckpoint { log: Log::SignIns, note: Some(checkpoint()) },
            LatestCheckpoint { log: Log::DirectoryAudits, note: None },
        ];
        let contents = Contents {
            news: &news,
            answers: &[],
            unanswered: &[],
            streams: &[],
            checkpoints: &latest,
            today: "2026-11-26".parse().unwrap(),
        };
        let signed = write(&place(), &contents).body;
        let part = "
The history of the ledger is signed up to these checkpoints. Keep this mail: saved each as a file, entratrail verify --since tells \
             whether anything before was changed since.

entratrail/00112233445566778899aabbccddeeff/sign-ins
12
AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=

— entratrail/00112233445566778899aabbccddeeff/sign-ins AAAAAAAA

The checkpoint of directory-audits could not be read, or is not as EntraTrail writes it: entratrail verify --key tells more.
";
        assert!(signed.contains(part), "{signed}");
        let unsigned = write(&place(), &Contents { checkpoints: &[], ..contents }).body;
        assert_eq!(signed.replacen(part, "", 1), unsigned);
    }

    proptest! {
        #[test]
        fn every_finding_is_told_or_counted_and_no_mail_is_too_long(counts in proptest::collection::vec(0_usize..200, 4)) {
            let ids = ["password-spray", "brute-force", "role-grants", "consents"];
            let answers: Vec<_> = ids.map(answer).into();
            let long = "x".repeat(1_500);
            let findings = answers.iter().zip(&counts).flat_map(|(answer, &count)| (0..count).map(|_| found(answer, &long)));
            let news = News { findings: findings.collect(), ..News::default() };
            let today = "2026-11-26".parse().unwrap();
            let contents = Contents { news: &news, answers: &answers, unanswered: &[], streams: &[], checkpoints: &[], today };
            let mail = write(&place(), &contents);
            prop_assert!(mail.body.len() < 256_000 && mail.subject.len() <= LONGEST_SUBJECT);
            let sentences = mail.body.lines().filter(|line| line.starts_with("- x")).count();
            let number = |text: &str| text.split(' ').find_map(|word| word.parse::<usize>().ok()).unwrap_or(0);
            let counted = mail.body.lines().filter(|line| line.starts_with("- ") && !line.starts_with("- x")).map(number);
            prop_assert_eq!(sentences + counted.sum::<usize>(), counts.iter().sum::<usize>());
        }
    }
}
