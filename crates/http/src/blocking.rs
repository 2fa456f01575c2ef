//! Work that may wait for the database or for a hash: threads of their own run it, and what waits for such a thread is bounded.
//!
//! A server that is asked for more than it can do has to say so at once. Each worker lets in a number of requests ([`lateness`]); the
//! next is a 503 that costs nothing. And what has waited is looked at once more before it begins: where its deadline has passed or its caller has
//! gone, nothing is done for it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::rt::time::Instant;
use actix_web::web;

use crate::failure::Failure;
use crate::lateness;
use crate::mount::Mounted;

thread_local! {
    /// What this worker has on such threads or waiting for one.
    static INSIDE: Arc<AtomicUsize> = Arc::default();
}

tokio::task_local! {
    /// When the request of this task has to be answered.
    static DEADLINE: Instant;
}

/// Runs the future of a request that has to be answered within `span` from now.
pub(crate) async fn within<F: Future>(span: Duration, request: F) -> F::Output {
    DEADLINE.scope(Instant::now() + span, request).await
}

/// The place of a request, which is free again when this is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    /// Takes one of `most`, or whatever there is where none is wanted.
    fn take(most: usize) -> Result<Self, Failure> {
        INSIDE.with(|inside| {
            let one_more = |count: usize| (count < most).then_some(count + 1);
            match inside.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more) {
                Ok(_) => Ok(Self(Arc::clone(inside))),
                Err(_) => Err(Failure::unavailable("too many requests wait for a thread")),
            }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Tells the thread that nobody waits for its work any more.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
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
    let place = Place::take(lateness::admitted(mounted.shared.settings.blocking_limit))?;
    run(mounted, place, ask).await
}

/// The same for a part of an answer that has begun: it has no place to lose, since the answer would be cut short.
///
/// # Errors
/// Those of `ask`.
pub(crate) async fn block_begun<T: Send + 'static, E: Into<Failure> + Send + 'static>(
    mounted: &Arc<Mounted>,
    ask: impl FnOnce(&Mounted) -> Result<T, E> + Send + 'static,
) -> Result<T, Failure> {
    let place = Place::take(usize::MAX)?;
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
    place: Place,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let deadline = DEADLINE.try_with(|deadline| *deadline).ok();
    let gone = Arc::new(AtomicBool::new(false));
    let _abandon = Abandon(Arc::clone(&gone));
    let worked = web::block(move || {
        let _place = place;
        if gone.load(Ordering::Acquire) || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Failure::unavailable("the deadline has passed before the work began"));
        }
        work()
    });
    match worked.await {
        Ok(answer) => answer,
        Err(_) => Err(Failure::Fault("a blocking call panicked".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

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
            let waiting = begin(Place::take(1).unwrap(), note(&done));
            assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err());
            assert!(Place::take(1).is_err(), "it is in the queue of the threads until one has looked at it");
            free.send(()).unwrap();
            settled().await;
            assert!(!done.load(Ordering::SeqCst));
            assert!(Place::take(1).is_ok());
        });
    }

    #[test]
    fn work_whose_deadline_has_passed_is_not_begun() {
        with_busy_thread(async |free| {
            let done = Arc::new(AtomicBool::new(false));
            let waiting = within(Duration::from_millis(20), begin(Place::take(1).unwrap(), note(&done)));
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
            within(Duration::from_mins(1), begin(Place::take(1).unwrap(), note(&done))).await.unwrap();
            assert!(done.load(Ordering::SeqCst));
        });
    }
}
