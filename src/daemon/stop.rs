//! Stopping, in order: no more calls, no more checks, all results stored, then the rest.

use tokio::task::JoinError;

use super::start::Parts;
use super::{DaemonFault, LAST_COMMITS, LAST_MOMENTS};
use crate::store::StoreError;

/// Stops the daemon, whose pump may have ended early.
///
/// # Errors
/// When the pump or the store could not do what they had to, or results are left that are not stored.
pub(super) async fn stop(
    parts: Parts,
    early: Option<Result<Result<(), StoreError>, JoinError>>,
) -> Result<(), DaemonFault> {
    let Parts { writer, mut pump, watch, current, running, web: (web, shut), side: (side, halt), .. } = parts;
    // Checks that wait for mail get it until they have ended.
    let _mail = parts.mail;
    // Whoever was told that their call was taken must find it counted, so the door is closed first.
    shut.cancel();
    web.close();
    web.wait().await;
    current.cancel();
    drop(watch);
    running.close();
    let ended = match early {
        Some(ended) => Some(ended),
        None => {
            let last = async {
                running.wait().await;
                (&mut pump).await
            };
            // A pump whose database cannot be written tries for ever, and holds up the checks; a stop must not wait
            // so long.
            tokio::time::timeout(LAST_MOMENTS + LAST_COMMITS, last).await.ok()
        }
    };
    pump.abort();
    halt.cancel();
    side.close();
    side.wait().await;
    // The pump's verdict comes first: a store that is closed already says nothing new.
    let verdict = ended.ok_or(DaemonFault::Unstored)?.map_err(|_| DaemonFault::Lost("pump"))?;
    let closed = writer.close().await;
    verdict?;
    Ok(closed?)
}
