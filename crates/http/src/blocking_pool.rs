//! Work that may wait for the database or for a hash: threads of their own run it, and what waits for such a thread is bounded.
//!
//! A server that is asked for more than it can do has to say so at once. Each worker lets in a number of requests ([`load_shedding`]); the
//! next is a 503 that costs nothing, or displaces one of a network that has more waiting ([`threads`](crate::threads)). And what has waited is
//! looked at once more before it begins: where its deadline has passed or its caller has gone, nothing is done for it.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::Instant;
use actix_web::web;
use tillgate_auth_core::Cancellation;

use crate::error::ApiError;
use crate::load_shedding;
use crate::mount::MountService;
use crate::threads::{Inside, NoRoom, Place};

thread_local! {
    /// What this worker has on such threads or waiting for one.
    static BLOCKING_COUNT: Inside = Inside::default();
}

/// For whom a task works.
#[derive(Clone, Copy)]
struct RequestContext {
    /// When the request has to be answered.
    deadline: Instant,
    /// Where it comes from.
    address: Option<IpAddr>,
}

tokio::task_local! {
    /// The request of this task.
    static REQUEST_CONTEXT: RequestContext;
}

/// Runs the future of a request from `address` that has to be answered within `span` from now.
pub(crate) async fn with_deadline<F: Future>(span: Duration, address: Option<IpAddr>, request: F) -> F::Output {
    REQUEST_CONTEXT.scope(RequestContext { deadline: Instant::now() + span, address }, request).await
}

/// Tells the thread that nobody waits for its work any more.
struct AbandonGuard(Cancellation);

impl Drop for AbandonGuard {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl From<NoRoom> for ApiError {
    fn from(_: NoRoom) -> Self {
        Self::unavailable("too many requests wait for a thread")
    }
}

/// Runs `ask` on a thread that may wait. It is not begun if the request's deadline has passed by then, or if this future was dropped.
///
/// # Errors
/// Besides those of `ask`: too many wait already, or the deadline has passed.
pub(crate) async fn run_blocking<T: Send + 'static, E: Into<ApiError> + Send + 'static>(
    mounted: &Arc<MountService>,
    ask: impl FnOnce(&MountService) -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError> {
    let limit = load_shedding::admission_limit(mounted.server.settings.blocking_limit);
    let address = REQUEST_CONTEXT.try_with(|served| served.address).ok().flatten();
    let place = BLOCKING_COUNT.with(|inside| mounted.threads.enter(inside, address, Some(limit)))?;
    run_in_slot(mounted, place, ask).await
}

/// The same for a part of an answer to `address` that has begun: it has no place to lose, since the answer would be cut short.
///
/// # Errors
/// Those of `ask`.
pub(crate) async fn run_blocking_unlimited<T: Send + 'static, E: Into<ApiError> + Send + 'static>(
    mounted: &Arc<MountService>,
    address: Option<IpAddr>,
    ask: impl FnOnce(&MountService) -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError> {
    let place = BLOCKING_COUNT.with(|inside| mounted.threads.enter(inside, address, None))?;
    run_in_slot(mounted, place, ask).await
}

async fn run_in_slot<T: Send + 'static, E: Into<ApiError> + Send + 'static>(
    mounted: &Arc<MountService>,
    place: Place,
    ask: impl FnOnce(&MountService) -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError> {
    let mounted = Arc::clone(mounted);
    spawn_in_slot(place, move || ask(&mounted).map_err(Into::into)).await
}

async fn spawn_in_slot<T: Send + 'static>(
    mut place: Place,
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let deadline = REQUEST_CONTEXT.try_with(|served| served.deadline).ok();
    let thread = place.thread().await?;
    let cancellation = Cancellation::when(move || deadline.is_some_and(|deadline| Instant::now() >= deadline));
    let _abandon = AbandonGuard(cancellation.clone());
    let worked = web::block(move || {
        let _held = (place, thread);
        if cancellation.is_canceled() {
            return Err(ApiError::unavailable("the deadline has passed before the work began"));
        }
        cancellation.run(work)
    });
    match worked.await {
        Ok(answer) => answer,
        Err(_) => Err(ApiError::Fault("a blocking call panicked".to_owned())),
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

    fn set_flag(done: &Arc<AtomicBool>) -> impl FnOnce() -> Result<(), ApiError> + Send + 'static {
        let done = Arc::clone(done);
        move || {
            done.store(true, Ordering::SeqCst);
            Ok(())
        }
    }

    /// Waits until the one thread has looked at everything before.
    async fn wait_for_queue() {
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }

    #[test]
    fn abandoned_work_is_not_started() {
        with_busy_thread(async |free| {
            let done = Arc::new(AtomicBool::new(false));
            let inside = Inside::default();
            let waiting = spawn_in_slot(place(&inside).unwrap(), set_flag(&done));
            assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err());
            assert!(place(&inside).is_err(), "it is in the queue of the threads until one has looked at it");
            free.send(()).unwrap();
            wait_for_queue().await;
            assert!(!done.load(Ordering::SeqCst));
            assert!(place(&inside).is_ok());
        });
    }

    #[test]
    fn work_past_its_deadline_is_not_started() {
        with_busy_thread(async |free| {
            let done = Arc::new(AtomicBool::new(false));
            let waiting = with_deadline(
                Duration::from_millis(20),
                None,
                spawn_in_slot(place(&Inside::default()).unwrap(), set_flag(&done)),
            );
            let release = async {
                tokio::time::sleep(Duration::from_millis(40)).await;
                free.send(()).unwrap();
            };
            let (answer, ()) = tokio::join!(waiting, release);
            assert!(matches!(answer, Err(ApiError::Unavailable { .. })));
            assert!(!done.load(Ordering::SeqCst));
        });
    }

    #[test]
    fn work_within_its_deadline_runs() {
        with_busy_thread(async |free| {
            let done = Arc::new(AtomicBool::new(false));
            free.send(()).unwrap();
            with_deadline(
                Duration::from_mins(1),
                None,
                spawn_in_slot(place(&Inside::default()).unwrap(), set_flag(&done)),
            )
            .await
            .unwrap();
            assert!(done.load(Ordering::SeqCst));
        });
    }
}
