//! The play: the outage of 2025-02-11 happens to a small forge, and Tripline tells of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{self, Config, Outside, Problems};
use crate::daemon::outbox::OutboxOptions;
use crate::daemon::{self, DaemonFault};
use crate::incident::summary;
use crate::model::unit::show_duration;
use crate::model::{Cadence, FailureClass, IncidentState, Outcome, Timestamp};
use crate::store::{IncidentSummary, Reader, StoreError};

use super::fault::DemoFault;
use super::forge::GitBackend;
use super::hurry;
use super::practice::Practice;
use super::scenery::CONFIG;
use super::sink::SunkMail;

/// So much faster than written does the play go.
const FASTER: u32 = 10;
/// The name of the database in the play's folder.
pub const DATABASE: &str = "tripline.db";
/// The customer that is hit.
const HIT: &str = "globex";
/// How long each act may take at the most, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(80);
/// How often the play looks whether something happened.
const LOOK: Duration = Duration::from_millis(50);

/// Why the play could not be played: our own fault, or this machine's.
#[derive(Debug, thiserror::Error)]
pub enum PlayFault {
    /// The forge or the mail server.
    #[error(transparent)]
    Demo(#[from] DemoFault),
    /// The configuration.
    #[error("the built-in configuration is refused\n{0}")]
    Config(#[from] Problems),
    /// The daemon.
    #[error(transparent)]
    Daemon(#[from] DaemonFault),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the play says, line by line.
pub trait Audience: Send {
    /// Something happened, so long after the beginning.
    fn scene(&mut self, after: Duration, text: &str);
    /// Something to read, as it is.
    fn show(&mut self, text: &str);
}

/// Plays the outage in `folder`, which is made, and returns whether all went as it should. With `keep`, the forge
/// and the daemon then go on until `interrupted`. `program` is the path of this program, for commands that are shown.
///
/// # Errors
/// When a part of it could not be started.
pub async fn play(
    folder: &Path,
    keep: bool,
    program: &str,
    audience: &mut dyn Audience,
    interrupted: CancellationToken,
) -> Result<bool, PlayFault> {
    let (mut practice, ports) = Practice::start(folder).await?;
    let config = Arc::new(configure(&practice)?);
    let database = folder.join(DATABASE);
    let stop = CancellationToken::new();
    // A play has no reloads.
    let (_, reloads) = mpsc::channel(1);
    let daemon = tokio::spawn(daemon::run(
        Arc::clone(&config),
        database.clone(),
        OutboxOptions::default(),
        reloads,
        ports,
        stop.clone(),
    ));
    let questions = TaskTracker::new();
    let mut stage = Stage {
        began: Instant::now(),
        program,
        audience,
        reader: None,
        questions: questions.clone(),
        database: database.clone(),
        config,
    };
    let mails = folder.join("mails");
    let well = tokio::select! {
        played = stage.play(&mut practice, &mails) => played,
        () = interrupted.cancelled() => {
            stage.say("interrupted; everything is stopped");
            Ok(false)
        }
    };
    if keep && !interrupted.is_cancelled() {
        stage.say("everything goes on until you press Ctrl-C; meanwhile you can");
        stage.audience.show(&show(&practice.levers()));
        interrupted.cancelled().await;
    }
    // The last to leave puts the database in order: that is the daemon, not our reader, which may still be reading.
    drop(stage);
    questions.close();
    questions.wait().await;
    stop.cancel();
    daemon.await.map_err(|_| DaemonFault::Lost("daemon"))??;
    well
}

/// A forge to practise on, until `interrupted`. `program` is the path of this program, for commands that are shown.
///
/// # Errors
/// When a part of it could not be started.
pub async fn practise(
    folder: &Path,
    program: &str,
    audience: &mut dyn Audience,
    interrupted: CancellationToken,
) -> Result<(), PlayFault> {
    let (practice, ports) = Practice::start(folder).await?;
    // They are for the daemon that is started by hand.
    drop(ports);
    let began = Instant::now();
    for line in practice.introduction() {
        audience.scene(began.elapsed(), &line);
    }
    audience
        .scene(began.elapsed(), "all of it goes on until you press Ctrl-C; meanwhile, in another terminal, you can");
    audience.show(&show(&[practice.commands(program), practice.levers()].concat()));
    interrupted.cancelled().await;
    Ok(())
}

/// What can be done, and how.
fn show(commands: &[(&str, String)]) -> String {
    commands.iter().map(|(what, command)| format!("  {what}\n      {command}\n")).collect()
}

/// What the configuration takes from outside: files of the folder, and nothing of this process's environment.
struct Beside<'a>(&'a Path);

impl Outside for Beside<'_> {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(path)).map_err(|error| error.to_string())
    }
}

fn configure(practice: &Practice) -> Result<Config, PlayFault> {
    let mut config = config::load(CONFIG, &practice.text, &Beside(&practice.folder))?;
    hurry::hurry(&mut config, FASTER);
    Ok(config)
}

struct Stage<'a> {
    began: Instant,
    program: &'a str,
    audience: &'a mut dyn Audience,
    reader: Option<Reader>,
    /// What is asked of the database, beside the runtime.
    questions: TaskTracker,
    database: PathBuf,
    config: Arc<Config>,
}

impl Stage<'_> {
    fn say(&mut self, text: &str) {
        self.audience.scene(self.began.elapsed(), text);
    }

    async fn play(&mut self, practice: &mut Practice, mails: &Path) -> Result<bool, PlayFault> {
        let interval = self.interval();
        for line in practice.introduction() {
            self.say(&line);
        }
        self.say(&format!(
            "the daemon watches the forge by probes.yaml, {FASTER} times as fast as written: {} probes, those of each \
             customer every {}",
            self.config.probes.len(),
            show_duration(interval),
        ));
        if !self.wait_until_all_is_well().await? {
            return Ok(false);
        }
        self.say(&format!("all {} probes have succeeded, twice", self.config.probes.len()));

        practice.forge.break_flags_for(HIT);
        let fault = Instant::now();
        let git = if practice.forge.git() == GitBackend::HttpBackend { ", and Git says the same" } else { "" };
        self.say(&format!("FAULT     the feature-flag service fails for {HIT}: its website and API answer 404{git}"));
        let Some(first) = self.wait_for_mail(&mut practice.inbox).await else { return Ok(false) };
        let accepted = fault.elapsed();
        self.tell_incidents().await?;
        self.say(&format!("MAIL      {}", first.subject));
        self.audience.show(&read(&first.path));

        practice.forge.repair();
        self.say("REPAIR    the feature flags are served again; Tripline waits until it is sure");
        let Some(second) = self.wait_for_mail(&mut practice.inbox).await else { return Ok(false) };
        self.say(&format!("MAIL      {}", second.subject));
        // What should not come is waited for as long as it would have taken to come.
        tokio::time::sleep(interval * 2).await;
        let surplus = practice.inbox.try_recv().is_ok();
        self.judge(accepted, interval, &first, &second, surplus, mails).await
    }

    /// How often each probe of the customer that is hit asks.
    fn interval(&self) -> Duration {
        let hit = self.config.probes.iter().filter(|probe| probe.labels.values().any(|value| value.as_str() == HIT));
        let intervals = hit.filter_map(|probe| match probe.cadence {
            Cadence::Every(interval) => Some(interval),
            Cadence::At(_) => None,
        });
        intervals.max().unwrap_or_default()
    }

    /// Waits until every probe has succeeded twice; a probe that fails before the fault spoils the play.
    async fn wait_until_all_is_well(&mut self) -> Result<bool, PlayFault> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
            let results = self.ask(|reader| {
                let mut results = Vec::new();
                reader.results_since(Timestamp::from_millis(0), |judged| {
                    results.push((judged.result.probe, judged.result.outcome))
                })?;
                Ok(results)
            });
            let Some(results) = results.await? else { continue };
            if let Some((probe, outcome)) = results.iter().find(|(_, outcome)| outcome.failure().is_some()) {
                self.say(&format!("{probe} fails before anything was broken: {}", outcome.as_str()));
                return Ok(false);
            }
            let well = |probe: &crate::model::Probe| {
                results.iter().filter(|(id, outcome)| *id == probe.id && *outcome == Outcome::Success).count() >= 2
            };
            if self.config.probes.iter().all(well) {
                return Ok(true);
            }
        }
        self.say("the probes did not all succeed in time; this machine may be too busy");
        Ok(false)
    }

    async fn wait_for_mail(&mut self, inbox: &mut mpsc::Receiver<SunkMail>) -> Option<SunkMail> {
        match tokio::time::timeout(PATIENCE, inbox.recv()).await {
            Ok(Some(mail)) => Some(mail),
            Ok(None) | Err(_) => {
                self.say("no mail came; something is wrong");
                None
            }
        }
    }

    async fn incidents(&mut self) -> Result<Vec<IncidentSummary>, PlayFault> {
        Ok(self.ask(|reader| reader.incidents(false, 10)).await?.unwrap_or_default())
    }

    async fn tell_incidents(&mut self) -> Result<(), PlayFault> {
        for incident in self.incidents().await? {
            let headline = summary::headline(&incident.finding, Some(&self.config));
            self.say(&format!("INCIDENT  {} ({}): {headline}", incident.id.short(), incident.severity));
        }
        Ok(())
    }

    /// Asks the database a question, beside the runtime. Nothing while the daemon has not made the database yet.
    async fn ask<T: Send + 'static>(
        &mut self,
        question: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Option<T>, PlayFault> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => match Reader::open(&self.database) {
                Ok(reader) => reader,
                Err(StoreError::NotFound(_) | StoreError::Empty(_) | StoreError::Older { .. } | StoreError::Busy) => {
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            },
        };
        let asked = self.questions.spawn_blocking(move || {
            let answer = question(&reader);
            (reader, answer)
        });
        let (reader, answer) = asked.await.map_err(|_| DaemonFault::Lost("database reader"))?;
        self.reader = Some(reader);
        Ok(Some(answer?))
    }

    async fn judge(
        &mut self,
        accepted: Duration,
        interval: Duration,
        first: &SunkMail,
        second: &SunkMail,
        surplus: bool,
        mails: &Path,
    ) -> Result<bool, PlayFault> {
        let incidents = self.incidents().await?;
        let mut wrong = Vec::new();
        match incidents.as_slice() {
            [incident] => {
                let factor = incident.finding.factor.as_ref();
                let values: BTreeSet<&str> =
                    factor.iter().flat_map(|factor| &factor.values).map(|v| v.as_str()).collect();
                if factor.is_none_or(|factor| factor.label.as_str() != "workspace") || values != BTreeSet::from([HIT])
                {
                    wrong.push(format!("the incident does not name workspace={HIT}"));
                }
                if incident.finding.failure != Some(FailureClass::NotFound) {
                    wrong.push("the incident does not say not_found".into());
                }
                if incident.state != IncidentState::Resolved {
                    wrong.push("the incident was not resolved".into());
                }
            }
            others => wrong.push(format!("{} incidents were opened instead of one", others.len())),
        }
        if surplus {
            wrong.push("more than two mails came".into());
        }
        if second.in_reply_to.is_none() || second.in_reply_to != first.message_id {
            wrong.push("the two mails are not one thread".into());
        }
        let allowed = interval * 3 / 2 + Duration::from_secs(5);
        if accepted > allowed {
            wrong.push(format!("the mail came {accepted:.1?} after the fault; {allowed:.1?} are allowed"));
        }
        let mut end = String::new();
        if wrong.is_empty() {
            end.push_str(&format!(
                "One incident was opened, for workspace={HIT} (not_found), and resolved.\nTwo mails came, in one \
                 thread; the first was accepted {accepted:.1?} after the fault ({allowed:.1?} were allowed).\n"
            ));
        }
        for fault in &wrong {
            end.push_str(&format!("WRONG: {fault}\n"));
        }
        end.push_str(&format!("\n  mails     {}\n  database  {}\n", mails.display(), self.database.display()));
        if let Some(incident) = incidents.first() {
            let (database, id) = (self.database.display(), incident.id.short());
            let program = self.program;
            end.push_str(&format!("  look      {program} --db {database} incident show {id}\n"));
        }
        self.audience.show(&end);
        Ok(wrong.is_empty())
    }
}

/// The text part of a mail; what it is instead, if it cannot be read.
fn read(path: &Path) -> String {
    let raw = match std::fs::read(path) {
        Ok(raw) => raw,
        Err(error) => return format!("{} cannot be read: {error}", path.display()),
    };
    let mail = mail_parser::MessageParser::default().parse(&raw);
    let text = mail.as_ref().and_then(|mail| mail.body_text(0)).unwrap_or_default();
    text.lines().map(|line| format!("          | {line}\n")).collect()
}
