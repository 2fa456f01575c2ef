//! Work that may wait for the database or for a hash: threads of their own run it, and what waits for such a thread is bounded.
//!
//! A server that is asked for more than it can do has to say so at once. Each worker lets in a number of requests ([`lateness`]); the
//! next is a 503 that costs nothing, or displaces one of a network that has more waiting ([`threads`](crate::threads)). And what has waited is
//! looked at once more before it begins: where its deadline has passed or its caller has gone, nothing is done for it.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::Instant;
use actix_web::web;
use tillgate_auth_core::Cancellation;

use crate::failure::Failure;
use crate::lateness;
use crate::mount::Mounted;
use crate::threads::{Inside, NoRoom, Place};

thread_local! {
    /// What this worker has on such threads or waiting for one.
    static INSIDE: Inside = Inside::default();
}

/// For whom a task works.
#[derive(Clone, Copy)]
struct Served {
    /// When the request has to be answered.
    deadline: Instant,
    /// Where it comes from.
    address: Option<IpAddr>,
}

tokio::task_local! {
    /// The request of this task.
    static SERVED: Served;
}

/// Runs the future of a request from `address` that has to be answered within `span` from now.
pub(crate) async fn within<F: Future>(span: Duration, address: Option<IpAddr>, request: F) -> F::Output {
    SERVED.scope(Served { deadline: Instant::now() + span, address }, request).await
}

/// Tells the thread that nobody waits for its work any more.
struct Abandon(Cancellation);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl From<NoRoom> for Failure {
    fn from(_: NoRoom) -> Self {
        Self::unavailable("too many requests wait for a thread")
    }
}

/// Runs `ask` on a thread that may wait. It is not begun if the request's deadline has passed by then, or if this future was dropped.
///
/// # Errors
/// Besides those of `ask`: too many wait already, or the deadline has passed.
pub(crate) async fn block<T: Send + 'static, E: Into<Failure> + Send + 'static>(
    mounted: &Arc<Mounted>,
    ask: impl FnOnce(&Mounted) -> Result<T, E> + Send + 'static,
) -> Result<T, Failure> {
    let limit = lateness::admitted(mounted.shared.settings.blocking_limit);
    let address = SERVED.try_with(|served| served.address).ok().flatten();
    let place = INSIDE.with(|inside| mounted.threads.enter(inside, address, Some(limit)))?;
    run(mounted, place, ask).await
}

/// The same for a part of an answer to `address` that has begun: it has no place to lose, since the answer would be cut short.
///
/// # Errors
/// Those of `ask`.
pub(crate) async fn block_begun<T: Send + 'static, E: Into<Failure> + Send + 'static>(
    mounted: &Arc<Mounted>,
    address: Option<IpAddr>,
    ask: impl FnOnce(&Mounted) -> Result<T, E> + Send + 'static,
) -> Result<T, Failure> {
    let place = INSIDE.with(|inside| mounted.threads.enter(inside, address, None))?;
    run(mounted, place, ask).await
}

async fn run<T: Send + 'static, E: Into<Failure> + Send + 'static>(
    mounted: &Arc<Mounted>,
    place: Place,
    ask: impl FnOnce(&Mounted) -> Result<T, E> + Send + 'static,
) -> Result<T, Failure> {
    let mounted = Arc::clone(mounted);
    begin(place, move || ask(&mounted).map_err(Into::into)).await
}

async fn begin<T: Send + 'static>(
    mut place: Place,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let deadline = SERVED.try_with(|served| served.deadline).ok();
    let thread = place.thread().await?;
    let cancellation = Cancellation::when(move || deadline.is_some_and(|deadline| Instant::now() >= deadline));
    let _abandon = Abandon(cancellation.clone());
    let worked = web::block(move || {
        let _held = (place, thread);
        if cancellation.is_canceled() {
            return Err(Failure::unavailable("the deadline has passed before the work began"));
        }
        cancellation.run(work)
    });
    match worked.await {
        Ok(answer) => answer,
        Err(_) => Err(Failure::Fault("a blocking call panicked".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use super::*;
    use crate::threads::Threads;

    /// Runs a test where one thread may wait, and that one is busy until `free` is sent to.
    fn with_busy_thread<F: Future<Output = ()>>(test: impl FnOnce(mpsc::Sender<()>) -> F) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
        let (free, busy) = mpsc::channel();
        runtime.block_on(async move {
            let held = tokio::task::spawn_blocking(move || busy.recv());
            test(free).await;
            let _ = held.await;
        });
    }

    /// A place of two threads, of which the runtime has one: who has it waits for the runtime's.
    fn place(inside: &Inside) -> Result<Place, NoRoom> {
        Threads::new(2).enter(inside, None, Some(1))
    }

    fn note(done: &Arc<AtomicBool>) -> impl FnOnce() -> Result<(), Failure> + Send + 'static {
        let done = Arc::clone(done);
        move || {
            done.store(true, Ordering::SeqCst);
            Ok(())
        }
    }

    /// Waits until the one thread has looked at everything before.
    async fn settled() {
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }

    #[test]
    fn work_whose_caller_has_gone_is_not_begun() {
        with_busy_thread(async |free| {
            let done = Arc::new(AtomicBool::new(false));
            let inside = Inside::default();
            let waiting = begin(place(&inside).unwrap(), note(&done));
            assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err());
            assert!(place(&inside).is_err(), "it is in the queue of the threads until one has looked at it");
            free.send(()).unwrap();
            settled().await;
            assert!(!done.load(Ordering::SeqCst));
            assert!(place(&inside).is_ok());
        });
    }

    #[test]
    fn work_whose_deadline_has_passed_is_not_begun() {
        with_busy_thread(async |free| {
            let done = Arc::new(AtomicBool::new(false));
            let waiting =
                within(Duration::from_millis(20), None, begin(place(&Inside::default()).unwrap(), note(&done)));
            let release = async {
                tokio::time::sleep(Duration::from_millis(40)).await;
                free.send(()).unwrap();
            };
            let (answer, ()) = tokio::join!(waiting, release);
            assert!(matches!(answer, Err(Failure::Unavailable { .. })));
            assert!(!done.load(Ordering::SeqCst));
        });
    }

    #[test]
    fn work_within_its_deadline_is_done() {
        with_busy_thread(async |free| {
            let done = Arc::new(AtomicBool::new(false));
            free.send(()).unwrap();
            within(Duration::from_mins(1), None, begin(place(&Inside::default()).unwrap(), note(&done))).await.unwrap();
            assert!(done.load(Ordering::SeqCst));
        });
    }
}
