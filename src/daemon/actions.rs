//! What operators ask for at a command line: looked for in the store and handed to the pump.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::model::ActionId;
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
            let pending = reader.pending_actions(AT_ONCE);
            (reader, pending)
        });
        let Ok((back, pending)) = asked.await else { return };
        reader = back;
        match pending {
            Ok(pending) => {
                for waiting in pending {
                    if latest.is_some_and(|latest| waiting.id <= latest) {
                        continue;
                    }
                    latest = Some(waiting.id);
                    if controls.send(Control::Action(waiting.id, waiting.action)).await.is_err() {
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
