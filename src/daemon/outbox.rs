//! The outbox: what is owed and due goes out, and what became of each attempt is written down.
//!
//! A delivery is a row before it is sent and stays owed until its outcome is stored. A daemon that dies in between
//! makes the same delivery again: a mail, say, with the same Message-ID.
//!
//! What is owed to one destination because of one incident goes out in order: the store gives out a message only when
//! the one before it is done with. None is dropped for a later one: whoever got only the end would not know what has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::config::Config;
use crate::deliver::{self, Sent};
use crate::model::{Backoff, ReceiverId, ReceiverKind, Timestamp, Undelivered};
use crate::notify::backoff::Next;

use super::pump::Control;
use crate::store::{Attempt, AttemptOutcome, DeliveryId, DueDelivery, FailedBecause, Reader, StoreError, Writer};

/// How many deliveries to one receiver are under way at once. Each receiver has its own share, so that one that is
/// slow to answer holds up nobody else.
const AT_ONCE: usize = 8;

/// The longest sleep: a wall clock that was set is noticed after it.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The pause after the store could not be asked or told.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How deliveries are made.
#[derive(Clone, Copy, Debug)]
pub struct OutboxOptions {
    /// How long one attempt may take.
    pub deadline: Duration,
    /// When a delivery to a receiver of this kind is retried.
    pub backoff: fn(&ReceiverKind) -> Backoff,
    /// How long deliveries that are under way may take to end when the outbox is told to stop.
    pub last_moments: Duration,
}

impl Default for OutboxOptions {
    /// As a daemon wants it: 30 seconds for an attempt, what each kind says of itself, 5 seconds for stopping.
    fn default() -> Self {
        let (deadline, backoff) = (deliver::DEADLINE, ReceiverKind::backoff);
        Self { deadline, backoff, last_moments: Duration::from_secs(5) }
    }
}

/// Delivers what is due until it is told to stop: at once when `wake` says that something new was committed, else
/// when the next delivery is due.
///
/// On `stop`, what is under way has its last moments to end; what has not ended then is broken off and stays owed.
pub async fn run(
    writer: Writer,
    reader: Reader,
    config: watch::Receiver<Arc<Config>>,
    options: OutboxOptions,
    tell: mpsc::Sender<Control>,
    wake: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut outbox = Outbox {
        writer,
        config,
        options,
        tell,
        stop,
        under_way: JoinSet::new(),
        ids: BTreeSet::new(),
        load: BTreeMap::new(),
    };
    let mut reader = reader;
    while !outbox.stop.is_cancelled() {
        let (back, asked) = ask(reader, &outbox.load, outbox.longest_pause()).await;
        let Some(back) = back else {
            tracing::error!("the outbox has lost its reader; messages stay owed until the daemon starts again");
            return;
        };
        reader = back;
        let pause = match asked {
            Ok((due, pause)) => {
                due.into_iter().for_each(|due| outbox.start(due));
                pause
            }
            Err(error) => {
                tracing::error!(%error, "the outbox cannot read what is owed");
                STORE_PAUSE
            }
        };
        tokio::select! {
            () = outbox.stop.cancelled() => {}
            () = wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
            Some(ended) = outbox.under_way.join_next() => outbox.end(ended),
        }
    }
    outbox.drain().await;
}

type Asked = Result<(Vec<DueDelivery>, Duration), StoreError>;

/// Asks, on a thread that may block, for what is due and how long nothing else will be.
async fn ask(reader: Reader, load: &BTreeMap<ReceiverId, usize>, longest: Duration) -> (Option<Reader>, Asked) {
    // Those under way are still due; ask for so many more that each receiver's share can be filled.
    let busiest = load.values().copied().max().unwrap_or(0);
    let each = u32::try_from(AT_ONCE + busiest).unwrap_or(u32::MAX);
    let question = move || {
        let now = clock::now();
        let asked = due(&reader, now, each, longest).and_then(|due| {
            let next = reader.next_delivery_after(now)?;
            Ok((due, next.map_or(LONGEST_SLEEP, |next| next.since(now).min(LONGEST_SLEEP))))
        });
        (Some(reader), asked)
    };
    tokio::task::spawn_blocking(question).await.unwrap_or((None, Err(StoreError::Closed)))
}

/// What is due. No pause of a receiver is longer than `longest`: what stands later was put off before the clock was set back, and is
/// due as well, with what is put off beside it.
fn due(reader: &Reader, now: Timestamp, each: u32, longest: Duration) -> Result<Vec<DueDelivery>, StoreError> {
    let due = reader.due_deliveries(now, each)?;
    if due.is_empty()
        && let Some(stranded) = reader.next_delivery_after(now + longest)?
    {
        return reader.due_deliveries(stranded, each);
    }
    Ok(due)
}

/// A delivery whose attempt is over.
struct Ended {
    id: DeliveryId,
    receiver: ReceiverId,
    recorded: bool,
}

struct Outbox {
    writer: Writer,
    config: watch::Receiver<Arc<Config>>,
    options: OutboxOptions,
    tell: mpsc::Sender<Control>,
    stop: CancellationToken,
    under_way: JoinSet<Ended>,
    ids: BTreeSet<DeliveryId>,
    load: BTreeMap<ReceiverId, usize>,
}

impl Outbox {
    /// The longest pause between two attempts of any receiver. Without receivers it is none, and what is left fails at
    /// once.
    fn longest_pause(&self) -> Duration {
        let config = self.config.borrow();
        let pauses = config.receivers.values().map(|receiver| (self.options.backoff)(&receiver.kind).longest);
        pauses.max().unwrap_or_default()
    }

    /// Starts a delivery unless it is under way or its receiver's share is used up.
    fn start(&mut self, due: DueDelivery) {
        let receiver = due.receiver.clone();
        let load = self.load.entry(receiver.clone()).or_default();
        if *load >= AT_ONCE || !self.ids.insert(due.id) {
            return;
        }
        *load += 1;
        let config = Arc::clone(&self.config.borrow());
        let (writer, options, stop) = (self.writer.clone(), self.options, self.stop.clone());
        let tell = self.tell.clone();
        self.under_way.spawn(async move {
            let outcome = attempt(&config, options, &due).await;
            let undelivered = undelivered(&due, &outcome);
            let recorded = record(&writer, due.id, Attempt { at: clock::now(), outcome }, &stop).await;
            if let Some(undelivered) = undelivered {
                // Where nobody listens any more the next start looks for it.
                _ = tell.send(Control::Undelivered(undelivered)).await;
            }
            Ended { id: due.id, receiver, recorded }
        });
    }

    fn end(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        match ended {
            Ok(Ended { id, receiver, recorded }) => {
                // What could not be recorded is not retried by this daemon: it would be made for ever.
                if recorded {
                    self.ids.remove(&id);
                }
                if let Some(load) = self.load.get_mut(&receiver) {
                    *load = load.saturating_sub(1);
                }
            }
            Err(error) => tracing::error!(%error, "a delivery broke off; it is retried after the next start"),
        }
    }

    async fn drain(mut self) {
        let all = async { while self.under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(self.options.last_moments, all).await.is_err() {
            tracing::warn!(
                left = self.under_way.len(),
                "deliveries are left unfinished; they stay owed and are retried after the next start"
            );
        }
    }
}

/// Makes one attempt and says what became of it.
async fn attempt(config: &Config, options: OutboxOptions, due: &DueDelivery) -> AttemptOutcome {
    let DueDelivery { id, receiver, to, .. } = due;
    let failed = |because, fault: String| {
        let why = match because {
            FailedBecause::Refused => "delivery failed",
            FailedBecause::GivenUp => "delivery failed: given up",
        };
        tracing::error!(delivery = %id, %receiver, %to, %fault, "{why}");
        AttemptOutcome::Failed(because, fault)
    };
    let Some(configured) = config.receiver(receiver) else {
        let fault = format!("receiver `{receiver}` is not configured any more");
        return failed(FailedBecause::Refused, fault);
    };
    match deliver::send(configured, to, &due.message, due.owed, options.deadline).await {
        Sent::Delivered(answer) => {
            tracing::info!(delivery = %id, %receiver, %to, %answer, "delivered");
            AttemptOutcome::Delivered(answer)
        }
        Sent::Failed(fault) => failed(FailedBecause::Refused, fault),
        Sent::Retry(fault) => {
            let name = format!("{}/{}", due.notification, to.address);
            let backoff = (options.backoff)(&configured.kind);
            match backoff.next(&name, due.attempts.saturating_add(1), due.owed, clock::now()) {
                Next::At(at) => {
                    tracing::warn!(delivery = %id, %receiver, %to, %fault, again = %at, "delivery failed, is retried");
                    AttemptOutcome::Retry(fault, at)
                }
                Next::GiveUp => failed(FailedBecause::GivenUp, fault),
            }
        }
    }
}

/// What the engine is told of an attempt: that the message will never be delivered there.
fn undelivered(due: &DueDelivery, outcome: &AttemptOutcome) -> Option<Undelivered> {
    let AttemptOutcome::Failed(_, why) = outcome else { return None };
    let DueDelivery { incident, notification, receiver, to, .. } = due;
    let (receiver, address, why) = (receiver.clone(), to.address.clone(), why.clone());
    Some(Undelivered { incident: *incident, notification: *notification, receiver, address, why })
}

/// Stores the outcome, however long that takes, and says whether it did: a delivery whose outcome is not stored must
/// not be retried by the same daemon, for a full disk would turn one message into thousands.
async fn record(writer: &Writer, id: DeliveryId, attempt: Attempt, stop: &CancellationToken) -> bool {
    while let Err(error) = writer.record_attempt(id, attempt.clone()).await {
        tracing::error!(delivery = %id, %error, "the outcome of a delivery cannot be stored");
        if !error.may_pass() || stop.is_cancelled() {
            return false;
        }
        tokio::time::sleep(STORE_PAUSE).await;
    }
    true
}
