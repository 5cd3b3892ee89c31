//! A run as an AWS Lambda function: ask, compare with what was told, mail what is new.

use crate::agenda::{Asked, due};
use crate::athena::Athena;
use crate::checkpoints::{LatestCheckpoint, latest_checkpoints};
use crate::config::Config;
use crate::coverage::{self, Stream};
use crate::finding::{Answer, Finding, findings};
use crate::mail::{self, Contents, Mail};
use crate::memory::Memory;
use crate::report::Report;
use crate::telling::{End, Step, Telling};
use crate::told::{News, Run};
use aws_sdk_sns::error::ProvideErrorMetadata as _;
use chrono::{DateTime, Utc};
use entratrail::archive::Bucket;
use entratrail::check::{Check, Checks};
use entratrail::error::Error;
use entratrail::request::{Collect, Request};
use entratrail_lambda::bucket::account_in;
use entratrail_lambda::{bucket, metrics, shell};
use futures_util::StreamExt as _;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};

/// Questions that are under way at once. An account may have some 25 in most regions, and people
/// ask as well. <https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>
const AT_ONCE: usize = 4;

/// Name of what asks for the state of the archive, in messages.
const COVERAGE: &str = "How complete is the archive?";

/// The function, as the environment sets it up.
#[derive(Debug)]
struct Function {
    config: Config,
    bucket: Bucket,
    athena: Athena,
    sns: aws_sdk_sns::Client,
    region: String,
}

/// Everything that was learnt from Athena in one run.
#[derive(Debug, Default)]
struct Answers {
    given: Vec<Answer>,
    unanswered: Vec<String>,
    /// The first failure.
    error: Option<Error>,
    streams: Vec<Stream>,
    scanned_bytes: u64,
}

/// Wish of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Tell,
    Show,
    Check,
}

/// Serves invocations until Lambda ends the process.
pub async fn serve() -> Result<(), lambda_runtime::Error> {
    shell::serve(
        None,
        async || Ok(Function::new(Config::read(shell::variable)?).await),
        Function::answer,
    )
    .await
}

fn wish(event: &Value) -> Result<Wish, Error> {
    match Request::parse(event) {
        Ok(Request::Check) => Ok(Wish::Check),
        Ok(Request::Collect(Collect { span: None, is_dry_run: true, .. })) => Ok(Wish::Show),
        Ok(Request::Collect(Collect { span: None, is_dry_run: false, .. })) => Ok(Wish::Tell),
        _ => Err(Error::event(
            "the event is none of the forms that this function knows: an EventBridge scheduled \
             event; {\"dryRun\": true}; {\"check\": true}",
        )),
    }
}

impl Function {
    async fn new(config: Config) -> Self {
        let aws = aws_config::load_from_env().await;
        Self {
            bucket: bucket::open(&aws, &config.bucket),
            athena: Athena {
                client: aws_sdk_athena::Client::new(&aws),
                workgroup: config.workgroup.clone(),
                database: config.database.clone(),
            },
            sns: aws_sdk_sns::Client::new(&aws),
            region: aws.region().map(ToString::to_string).unwrap_or_default(),
            config,
        }
    }

    /// Answers one invocation.
    async fn answer(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        match wish(&event.payload)? {
            Wish::Check => Ok(json!(self.check(&event.context).await)),
            Wish::Show => self.show(&event.context).await,
            Wish::Tell => self.tell(&event.context).await,
        }
    }

    fn memory(&self, context: &Context) -> Memory {
        Memory::new(bucket::of_own_account(&self.bucket, context))
    }

    async fn check(&self, context: &Context) -> Checks {
        let stop_at = self.stop_at(context);
        let asked = self.athena.ask(COVERAGE, coverage::SQL, stop_at).await;
        let asked = asked.map(|_| "works: Athena answered about the archive".to_owned());
        let mut memory = self.memory(context);
        let written = match memory.load().await {
            Ok(told) => memory.write(&told).await.map(|_| {
                format!(
                    "works: {} findings are remembered, and the memory can be written",
                    told.count()
                )
            }),
            Err(error) => Err(error),
        };
        let checks = vec![Check::new("athena", asked), Check::new("memory", written)];
        Checks { log: "findings", ok: checks.iter().all(|check| check.ok), checks }
    }

    /// Asks, and answers with what would be told. Nothing is mailed or written.
    async fn show(&self, context: &Context) -> Result<Value, Error> {
        let run = run_of(context);
        let told = self.memory(context).load().await?;
        let asked = due(run.at.date_naive(), told.answered(), self.config.daily);
        let answers = self.ask(&asked, self.stop_at(context)).await;
        let news = told.news(&found_in(&answers.given), &run);
        let mut report = answers.report(asked.len(), &run);
        report.count(&news);
        report.show(&news);
        answers.error.map_or(Ok(json!(report)), Err)
    }

    async fn tell(&self, context: &Context) -> Result<Value, Error> {
        let run = run_of(context);
        let mut memory = self.memory(context);
        let told = memory.load().await?;
        let asked = due(run.at.date_naive(), told.answered(), self.config.daily);
        let answers = self.ask(&asked, self.stop_at(context)).await;
        let mut report = answers.report(asked.len(), &run);
        let failure = match self.bring(&run, &answers, memory, context, &mut report).await {
            Ok(()) => answers.error,
            Err(error) => Some(error),
        };
        report.duration_ms = (Utc::now() - run.at).num_milliseconds();
        metrics::print(&json!(report));
        metrics::print(&metrics::embedded(
            &[
                ("FindingsNew", "Count", Some(json!(report.new))),
                ("BytesScanned", "Bytes", Some(json!(report.scanned_bytes))),
                ("Succeeded", "Count", Some(json!(u8::from(failure.is_none())))),
            ],
            &[("FunctionName", &context.env_config.function_name)],
            Utc::now(),
        ));
        failure.map_or(Ok(json!(report)), Err)
    }

    /// Goes the way of [`Telling`].
    async fn bring(
        &self,
        run: &Run,
        answers: &Answers,
        mut memory: Memory,
        context: &Context,
        report: &mut Report,
    ) -> Result<(), Error> {
        let answered = answers.given.iter().map(|answer| answer.question.id.clone()).collect();
        let mut telling = Telling::new(run.clone(), found_in(&answers.given), answered);
        let mut refusal = None;
        let mut step = Step::Load;
        loop {
            step = match step {
                Step::Load => telling.loaded(memory.load().await?),
                Step::Write(told) => telling.written(memory.write(&told).await?),
                Step::Send(news) => {
                    let latest = if news.is_weekly {
                        latest_checkpoints(&bucket::of_own_account(&self.bucket, context)).await
                    } else {
                        Vec::new()
                    };
                    let sent = self.send(&self.mail(&news, answers, &latest, run, context)).await;
                    report.mailed = sent.is_ok();
                    refusal = sent.err();
                    telling.sent(report.mailed)
                }
                Step::End(End::Told(news)) => {
                    report.count(&news);
                    return Ok(());
                }
                Step::End(End::NotSent(news)) => {
                    report.count(&news);
                    return Err(
                        refusal.unwrap_or_else(|| Error::incomplete("the mail was not sent"))
                    );
                }
                Step::End(End::Overtaken { is_sent }) => return Err(overtaken(is_sent)),
            };
        }
    }

    async fn ask(&self, asked: &[Asked], stop_at: DateTime<Utc>) -> Answers {
        let archive = self.athena.ask(COVERAGE, coverage::SQL, stop_at);
        let questions = futures_util::stream::iter(asked.iter().map(|asked| async move {
            let name = &asked.question.name;
            (asked, self.athena.ask(name, &asked.sql, stop_at).await)
        }));
        let questions = questions.buffered(AT_ONCE).collect::<Vec<_>>();
        let (archive, questions) = futures_util::join!(archive, questions);
        let mut answers = Answers::default();
        for (asked, rows) in questions {
            match rows {
                Ok(rows) => {
                    answers.scanned_bytes += rows.scanned_bytes;
                    answers.given.push(Answer {
                        question: asked.question.clone(),
                        columns: rows.columns,
                        rows: rows.rows,
                        execution_id: rows.execution_id,
                    });
                }
                Err(error) => answers.fail(&asked.question.name, error),
            }
        }
        match archive {
            Ok(rows) => {
                answers.scanned_bytes += rows.scanned_bytes;
                answers.streams = coverage::streams(&rows.columns, &rows.rows);
            }
            Err(error) => answers.fail(COVERAGE, error),
        }
        answers
    }

    fn mail(
        &self,
        news: &News,
        answers: &Answers,
        checkpoints: &[LatestCheckpoint],
        run: &Run,
        context: &Context,
    ) -> Mail {
        let account = account_in(&context.invoked_function_arn).unwrap_or("unknown");
        let contents = Contents {
            news,
            answers: &answers.given,
            unanswered: &answers.unanswered,
            streams: &answers.streams,
            checkpoints,
            today: run.at.date_naive(),
        };
        mail::write(&self.config.place(account, &self.region), &contents)
    }

    async fn send(&self, mail: &Mail) -> Result<(), Error> {
        let request = self.sns.publish().topic_arn(&self.config.topic);
        let sent = request.subject(&mail.subject).message(&mail.body).send().await;
        sent.map(drop).map_err(|error| {
            let code =
                error.code().filter(|code| code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            Error::incomplete(format!(
                "new findings could not be mailed, because the topic did not take them ({}); the \
                 next run tells them",
                code.unwrap_or("no answer")
            ))
            .with_remedy(
                "deploy again, which puts the policies of topic and key right, or ask the \
                 questions in the query editor now",
            )
        })
    }

    /// Time at which to stop waiting for answers, so that what came can still be told.
    fn stop_at(&self, context: &Context) -> DateTime<Utc> {
        shell::deadline(context) - self.config.stop_before_deadline
    }
}

impl Answers {
    fn fail(&mut self, name: &str, error: Error) {
        tracing::warn!(question = name, remedy = error.remedy(), "{error}");
        self.unanswered.push(name.to_owned());
        self.error.get_or_insert(error);
    }

    fn report(&self, asked: usize, run: &Run) -> Report {
        let mut report = Report::new(asked, &self.unanswered, &self.given, &self.streams);
        report.scanned_bytes = self.scanned_bytes;
        report.duration_ms = (Utc::now() - run.at).num_milliseconds();
        report
    }
}

fn found_in(answers: &[Answer]) -> Vec<Finding> {
    answers.iter().flat_map(findings).collect()
}

/// The run of an invocation. Lambda repeats one that failed under the same id.
fn run_of(context: &Context) -> Run {
    Run { id: context.request_id.clone(), at: Utc::now() }
}

fn overtaken(is_sent: bool) -> Error {
    let consequence = if is_sent {
        "the mail was sent and could not be put on record, so that it comes once more"
    } else {
        "nothing was mailed, and the next run tells it"
    };
    Error::incomplete(format!(
        "other runs of this function write {} all the time",
        crate::memory::KEY
    ))
    .with_remedy("see that it is not started in a loop")
    .and(consequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_schedule_a_dry_run_or_a_check_and_no_span() {
        let scheduled: Value =
            serde_json::from_str(include_str!("../../../events/scheduled.json")).unwrap();
        assert_eq!(wish(&scheduled), Ok(Wish::Tell));
        assert_eq!(wish(&json!({"dryRun": true})), Ok(Wish::Show));
        assert_eq!(wish(&json!({"check": true})), Ok(Wish::Check));
        for event in [
            json!({}),
            json!({"dryRun": true, "from": "2026-11-20", "to": "2026-11-21"}),
            json!([]),
        ] {
            let error = wish(&event).unwrap_err();
            assert!(error.to_string().contains("{\"dryRun\": true}"), "{error}");
        }
    }
}
