//! Work that may wait for the database or for a password hash runs on a bounded pool of threads. At
//! equal priority, hundreds of threads would starve the few that read requests, write responses and
//! reject excess load; the server therefore lowers their priority (`server/src/priority.rs`), and a
//! worker that falls behind admits less of such work (`load_shedding`).
//!
//! An overloaded server must say so at once. Each worker admits a limited number of requests; the
//! next one is answered with 503 immediately, or displaces a request of a network that has more
//! requests waiting (`threads`). Before work begins that has waited, it is
//! checked again: it is skipped if its deadline has passed or its caller has disconnected.

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::rt::time::Instant;
use actix_web::web;
use tillgate_auth_core::Cancellation;

use crate::context::MountContext;
use crate::context::load_shedding;
use crate::context::threads::{PoolFull, ThreadSlot, WorkerLoad};
use crate::error::ApiError;

thread_local! {
    /// Requests of this worker that run on or wait for such a thread.
    static BLOCKING_COUNT: WorkerLoad = WorkerLoad::default();
}

/// The request for which a task works.
#[derive(Clone, Copy)]
struct CurrentRequest {
    /// When the response is due.
    deadline: Instant,
    /// Address of the client.
    address: Option<IpAddr>,
}

tokio::task_local! {
    /// The request of the current task.
    static CURRENT_REQUEST: CurrentRequest;
}

/// Runs the future of a request from `address` whose response is due after `span`.
pub(crate) async fn with_deadline<F: Future>(span: Duration, address: Option<IpAddr>, request: F) -> F::Output {
    CURRENT_REQUEST.scope(CurrentRequest { deadline: Instant::now() + span, address }, request).await
}

/// Cancels the work on drop, when nobody waits for it any more.
struct AbandonGuard(Cancellation);

impl Drop for AbandonGuard {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl From<PoolFull> for ApiError {
    fn from(_: PoolFull) -> Self {
        Self::unavailable("too many requests wait for a thread")
    }
}

/// Runs `ask` on a thread of the pool, unless the request's deadline passes or this future is
/// dropped before it begins.
///
/// # Errors
/// Those of `ask`; unavailable if too many requests wait or the deadline has passed.
pub(crate) async fn run_blocking<T: Send + 'static, E: Into<ApiError> + Send + 'static>(
    mount: &Arc<MountContext>,
    work: impl FnOnce(&MountContext) -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError> {
    let limit = load_shedding::admission_limit(mount.server.settings.blocking_limit);
    let address = CURRENT_REQUEST.try_with(|served| served.address).ok().flatten();
    let slot = BLOCKING_COUNT.with(|load| mount.threads.enter(load, address, Some(limit)))?;
    run_in_slot(mount, slot, work).await
}

/// Like [`run_blocking`], for the continuation of a response to `address` that has begun. It is not
/// limited, since the response would be cut short otherwise.
///
/// # Errors
/// Those of `ask`.
pub(crate) async fn run_blocking_unlimited<T: Send + 'static, E: Into<ApiError> + Send + 'static>(
    mount: &Arc<MountContext>,
    address: Option<IpAddr>,
    work: impl FnOnce(&MountContext) -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError> {
    let slot = BLOCKING_COUNT.with(|load| mount.threads.enter(load, address, None))?;
    run_in_slot(mount, slot, work).await
}

async fn run_in_slot<C: Send + Sync + 'static, T: Send + 'static, E: Into<ApiError> + Send + 'static>(
    context: &Arc<C>,
    slot: ThreadSlot,
    work: impl FnOnce(&C) -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError> {
    let context = Arc::clone(context);
    let response = Arc::new(Mutex::new(None));
    let answered = Arc::clone(&response);
    let job = Box::new(move || {
        let result: Result<T, ApiError> = work(&context).map_err(Into::into);
        *answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    });
    run_job(slot, job).await?;
    let response = response.lock().unwrap_or_else(PoisonError::into_inner).take();
    response.unwrap_or_else(|| Err(ApiError::Fault("a blocking call did not return a result".to_owned())))
}

/// Runs a job on the thread of a slot. The job has the same type for every call, so that the code
/// of a task is compiled once and not for each of about a hundred calls.
async fn run_job(mut slot: ThreadSlot, job: Box<dyn FnOnce() + Send>) -> Result<(), ApiError> {
    let deadline = CURRENT_REQUEST.try_with(|served| served.deadline).ok();
    let thread = slot.thread().await?;
    let cancellation = Cancellation::when(move || deadline.is_some_and(|deadline| Instant::now() >= deadline));
    let _abandon = AbandonGuard(cancellation.clone());
    let worked = web::block(move || {
        let _held = (slot, thread);
        if cancellation.is_canceled() {
            return Err(ApiError::unavailable("the deadline has passed before the work began"));
        }
        let _entered = cancellation.enter();
        job();
        Ok(())
    });
    worked.await.unwrap_or_else(|_| Err(ApiError::Fault("a blocking call panicked".to_owned())))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use super::*;
    use crate::context::threads::Threads;

    /// Runs a test with a single blocking thread, which is busy until `free` is sent to.
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

    /// A slot of two threads, of which the runtime has only one, so that its work waits for the
    /// runtime.
    fn slot(load: &WorkerLoad) -> Result<ThreadSlot, PoolFull> {
        Threads::new(2).enter(load, None, Some(1))
    }

    async fn set_flag(done: &Arc<AtomicBool>, slot: ThreadSlot) -> Result<(), ApiError> {
        run_in_slot(done, slot, |done| {
            done.store(true, Ordering::SeqCst);
            Ok::<(), ApiError>(())
        })
        .await
    }

    /// Waits until the thread has handled all previous work.
    async fn wait_for_queue() {
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }

    #[test]
    fn abandoned_work_is_not_started() {
        with_busy_thread(async |free| {
            let done = Arc::new(AtomicBool::new(false));
            let load = WorkerLoad::default();
            let waiting = set_flag(&done, slot(&load).unwrap());
            assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err());
            assert!(slot(&load).is_err(), "it is in the queue of the threads until one has looked at it");
            free.send(()).unwrap();
            wait_for_queue().await;
            assert!(!done.load(Ordering::SeqCst));
            assert!(slot(&load).is_ok());
        });
    }

    #[test]
    fn work_past_its_deadline_is_not_started() {
        with_busy_thread(async |free| {
            let done = Arc::new(AtomicBool::new(false));
            let waiting =
                with_deadline(Duration::from_millis(20), None, set_flag(&done, slot(&WorkerLoad::default()).unwrap()));
            let release = async {
                tokio::time::sleep(Duration::from_millis(40)).await;
                free.send(()).unwrap();
            };
            let (response, ()) = tokio::join!(waiting, release);
            assert!(matches!(response, Err(ApiError::Unavailable { .. })));
            assert!(!done.load(Ordering::SeqCst));
        });
    }

    #[test]
    fn work_within_its_deadline_runs() {
        with_busy_thread(async |free| {
            let done = Arc::new(AtomicBool::new(false));
            free.send(()).unwrap();
            with_deadline(Duration::from_mins(1), None, set_flag(&done, slot(&WorkerLoad::default()).unwrap()))
                .await
                .unwrap();
            assert!(done.load(Ordering::SeqCst));
        });
    }
}
