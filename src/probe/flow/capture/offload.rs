//! Work beside the runtime, which has other checks to make: a few pieces at once, and none goes on once nobody waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

/// As many pieces of work are done at once as there are cores; all others wait, within the time of their steps.
static ROOM: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2))));

/// Whether nobody waits for the work any more.
#[derive(Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Says stop when the one who waits is dropped: a thread cannot be cancelled from outside.
struct Waiting(Stop);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Does this on a thread of its own. The work has to look at the flag again and again.
pub(super) async fn offload<T: Send + 'static>(
    work: impl FnOnce(&Stop) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let unread = || "the answer could not be read".to_owned();
    let stop = Stop::default();
    let _waiting = Waiting(stop.clone());
    let permit = ROOM.acquire().await.map_err(|_| unread())?;
    let done = tokio::task::spawn_blocking(move || {
        // The place is free when the thread is, and not before.
        let _permit = permit;
        work(&stop)
    });
    done.await.unwrap_or_else(|_| Err(unread()))
}
