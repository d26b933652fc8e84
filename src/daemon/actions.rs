//! What operators ask for at a command line: looked for in the store and handed to the pump.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::incident::lifecycle;
use crate::model::{Action, ActionId, Incident};
use crate::store::Reader;

use super::pump::Control;

/// How often the store is asked.
const EVERY: Duration = Duration::from_millis(500);
/// At most so many at a time.
const AT_ONCE: u32 = 100;

/// Hands every action to the pump once, until told to stop. One that was not carried out before the daemon ended is
/// handed on by the next.
pub async fn run(reader: Reader, controls: mpsc::Sender<Control>, stop: CancellationToken) {
    let mut reader = reader;
    let mut latest: Option<ActionId> = None;
    loop {
        let asked = tokio::task::spawn_blocking(move || {
            let pending = reader.pending_actions(AT_ONCE).map(|pending| {
                let new = pending.into_iter().filter(|waiting| latest.is_none_or(|latest| waiting.id > latest));
                new.map(|waiting| (stored(&reader, &waiting.action), waiting)).collect::<Vec<_>>()
            });
            (reader, pending)
        });
        let Ok((back, pending)) = asked.await else { return };
        reader = back;
        match pending {
            Ok(pending) => {
                for (stored, waiting) in pending {
                    latest = Some(waiting.id);
                    if controls.send(Control::Action(waiting.id, waiting.action, stored)).await.is_err() {
                        return;
                    }
                }
            }
            Err(error) => tracing::error!(%error, "what operators asked for cannot be read"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// The incident as it is stored, where the engine may have forgotten it. One that cannot be read is logged.
fn stored(reader: &Reader, action: &Action) -> Option<Box<Incident>> {
    if !action.kind.may_come_late() {
        return None;
    }
    let events = reader.events_of(action.incident);
    let events = events.inspect_err(|error| tracing::error!(%error, "an incident cannot be read")).ok()?;
    let incident = lifecycle::fold(&events);
    incident.inspect_err(|error| tracing::error!(%error, "an incident cannot be read")).ok().map(Box::new)
}
