//! The pump: takes inputs, lets the engine handle each, drains it, and commits what came out.
//!
//! Mutate once, drain fully, commit: results, incident events and owed messages of one input become durable in one
//! transaction, which many inputs may share. News does not wait for company; plain results do, for a moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::clock;
use crate::config::Config;
use crate::engine::{Engine, Input, Output};
use crate::model::{Action, ActionId, CheckResult, Incident, IncidentId, Timestamp, Undelivered};
use crate::store::{ActionDone, Commit, StoreError, Writer};

/// A commit holds at most so many results ...
const MOST_RESULTS: usize = 1000;
/// ... and the oldest of them waits at most so long.
const PATIENCE: Duration = Duration::from_millis(500);
/// When the next result comes so soon, results come fast ...
const SOON: Duration = Duration::from_millis(1);
/// ... and the pump looks for them so often, for to be woken for each costs more.
const COMPANY: Duration = Duration::from_millis(4);
/// The longest sleep: a wall clock that was set is noticed after it.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// The pause after the database refused a commit.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What reaches the pump beside results.
#[derive(Debug)]
pub enum Control {
    /// An operator asked for something; with the incident as it is stored, if it may have ended long ago.
    Action(ActionId, Action, Option<Box<Incident>>),
    /// A message was not delivered, and never will be.
    Undelivered(Undelivered),
    /// From now on this config is judged by, with an engine that is rebuilt for it.
    Reload(Arc<Config>),
}

/// Moves inputs through the engine into the store.
pub struct Pump<R> {
    engine: Engine,
    writer: Writer,
    wake_outbox: Arc<Notify>,
    /// Rebuilds the engine from the store for a new config.
    rebuild: R,
    pending: Commit,
    /// The incidents that the pending events happened to, as they stand after.
    touched: BTreeMap<IncidentId, Incident>,
    /// When the oldest pending result was taken in.
    waiting_since: Option<Instant>,
}

impl<R, F> Pump<R>
where
    R: Fn(Arc<Config>) -> F,
    F: Future<Output = Result<Engine, StoreError>>,
{
    /// A pump with nothing in it.
    pub fn new(engine: Engine, writer: Writer, wake_outbox: Arc<Notify>, rebuild: R) -> Self {
        let pending = Commit::default();
        Self { engine, writer, wake_outbox, rebuild, pending, touched: BTreeMap::new(), waiting_since: None }
    }

    /// Runs until nobody can send results any more, and stores all that came.
    ///
    /// # Errors
    /// When the store refuses a commit for good: what is in memory and what is stored do not fit together.
    pub async fn run(
        mut self,
        mut results: mpsc::Receiver<CheckResult>,
        mut controls: mpsc::Receiver<Control>,
    ) -> Result<(), StoreError> {
        // A restored engine may have news at once.
        self.drain(clock::now());
        let mut batch = Vec::with_capacity(MOST_RESULTS);
        let mut listening = true;
        let mut looked: Option<Instant> = None;
        loop {
            if self.is_due() {
                self.commit().await?;
            }
            let sleep = tokio::time::sleep_until(self.wake_at());
            tokio::select! {
                count = results.recv_many(&mut batch, MOST_RESULTS.saturating_sub(self.pending.results.len()).max(1)) => {
                    if count == 0 {
                        break;
                    }
                    for result in batch.drain(..) {
                        self.hand_in(Input::Result(result), clock::now());
                    }
                    if looked.is_some_and(|looked| looked.elapsed() < SOON) && !self.is_due() {
                        tokio::time::sleep(COMPANY).await;
                    }
                    looked = Some(Instant::now());
                }
                control = controls.recv(), if listening => match control {
                    None => listening = false,
                    Some(Control::Undelivered(undelivered)) => {
                        self.hand_in(Input::Undelivered(undelivered), clock::now());
                    }
                    Some(Control::Action(id, action, stored)) => {
                        if let Some(incident) = stored {
                            self.hand_in(Input::Recall(incident), clock::now());
                        }
                        self.hand_in(Input::Action(id, action), clock::now());
                    }
                    Some(Control::Reload(config)) => {
                        self.commit().await?;
                        let waiting = self.engine.take_waiting();
                        self.engine = self.rebuilt(config).await?;
                        self.drain(clock::now());
                        for result in waiting {
                            self.hand_in(Input::Result(result), clock::now());
                        }
                    }
                },
                () = sleep => {}
            }
            let now = clock::now();
            // Time must not overtake results that wait, after the disk was full say: they ended before this moment.
            if results.is_empty() && self.engine.poll_timeout().is_some_and(|due| due <= now) {
                self.hand_in(Input::Timeout, now);
            }
        }
        let now = clock::now();
        self.engine.finish(now);
        self.drain(now);
        self.commit().await
    }

    /// The engine for a new config. A database that cannot be read now is asked again.
    async fn rebuilt(&self, config: Arc<Config>) -> Result<Engine, StoreError> {
        loop {
            match (self.rebuild)(Arc::clone(&config)).await {
                Err(error) if error.may_pass() => {
                    tracing::error!(%error, "the new config cannot be taken up yet; trying again");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
                rebuilt => return rebuilt,
            }
        }
    }

    fn hand_in(&mut self, input: Input, now: Timestamp) {
        self.engine.handle(input, now);
        self.drain(now);
    }

    fn drain(&mut self, now: Timestamp) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Result(judged) => {
                    self.pending.results.push(judged);
                    self.waiting_since.get_or_insert_with(Instant::now);
                }
                Output::Event(event) => {
                    tracing::info!(incident = event.incident.short(), "{}", event.change);
                    self.pending.events.push(event);
                }
                Output::Incident(incident) => {
                    self.touched.insert(incident.id, incident);
                }
                Output::Owed(notification) => self.pending.notifications.push(notification),
                Output::Answer(id, answer) => self.pending.actions_done.push(ActionDone { id, at: now, answer }),
                // The engine asks for none yet.
                Output::Recheck(..) => {}
            }
        }
    }

    /// Whether what is pending waits no longer.
    fn is_due(&self) -> bool {
        !self.pending.events.is_empty()
            || !self.pending.actions_done.is_empty()
            || self.pending.results.len() >= MOST_RESULTS
            || self.waiting_since.is_some_and(|since| since.elapsed() >= PATIENCE)
    }

    fn wake_at(&self) -> Instant {
        let mut sleep = LONGEST_SLEEP;
        if let Some(due) = self.engine.poll_timeout() {
            sleep = sleep.min(due.since(clock::now()));
        }
        let wake = Instant::now() + sleep;
        self.waiting_since.map_or(wake, |since| wake.min(since + PATIENCE))
    }

    /// Makes what is pending durable. While the database cannot be written, it is tried over and over: nothing is
    /// dropped, and no new input is taken.
    async fn commit(&mut self) -> Result<(), StoreError> {
        let mut commit = std::mem::take(&mut self.pending);
        self.waiting_since = None;
        if commit.is_empty() {
            return Ok(());
        }
        commit.incidents = std::mem::take(&mut self.touched).into_values().collect();
        let tells = !commit.notifications.is_empty();
        let commit = Arc::new(commit);
        while let Err(error) = self.writer.commit(Arc::clone(&commit)).await {
            if !error.may_pass() {
                return Err(error);
            }
            tracing::error!(%error, results = commit.results.len(), "results cannot be stored; trying again");
            tokio::time::sleep(STORE_PAUSE).await;
        }
        if tells {
            self.wake_outbox.notify_one();
        }
        Ok(())
    }
}
