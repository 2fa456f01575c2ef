//! The threads that may wait for the database or for a password hash. Their number is limited for
//! the whole server, and requests get one in the turn of their network. During a flood from many
//! networks, a request of another network therefore waits for one turn of each, however many
//! requests they have sent.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillgate_auth_core::FairQueue;
use tokio::sync::oneshot::{self, error::TryRecvError};

/// The number of a worker's requests that run on or wait for a thread.
pub(crate) type WorkerLoad = Arc<AtomicUsize>;

/// A request that waits for a thread.
#[derive(Debug)]
struct WaitingRequest {
    number: u64,
    /// The counter of the request's worker.
    load: WorkerLoad,
    /// Whether the request may be displaced by one of another network.
    makes_room: bool,
    /// Sends the thread; dropped if the request is displaced.
    grant: oneshot::Sender<Thread>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    last: u64,
    waiting: FairQueue<WaitingRequest>,
}

/// The threads of a server.
#[derive(Debug)]
pub(crate) struct Threads {
    limit: usize,
    state: Mutex<State>,
}

/// There is no slot, or the slot was given to a request of another network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PoolFull;

impl Threads {
    /// Creates the pool with this limit.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit: limit.max(1), state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims one of the worker's `limit` slots for a request from `address`. If all are taken, the
    /// newest waiting request of the network that has the most waiting is displaced, provided that
    /// it has more than this network will have. Without a limit the request always has a slot and
    /// keeps it.
    pub(crate) fn enter(
        self: &Arc<Self>,
        load: &WorkerLoad,
        address: Option<IpAddr>,
        limit: Option<usize>,
    ) -> Result<ThreadSlot, PoolFull> {
        let mut state = self.lock();
        if limit.is_some_and(|limit| load.load(Ordering::Acquire) >= limit) {
            let same_worker = |waiter: &WaitingRequest| waiter.makes_room && Arc::ptr_eq(&waiter.load, load);
            let network_waiters = state.waiting.count_of(address, same_worker);
            // dropping the sender notifies the displaced request; its slot is free at once
            drop(state.waiting.displace(network_waiters + 1, same_worker).ok_or(PoolFull)?);
            load.fetch_sub(1, Ordering::AcqRel);
        }
        load.fetch_add(1, Ordering::AcqRel);
        let (threads, load) = (Arc::clone(self), Arc::clone(load));
        if state.running < self.limit {
            state.running += 1;
            let granted = Some(ThreadGrant::Now(Thread(Some(Arc::clone(self)))));
            return Ok(ThreadSlot { threads, load, number: None, granted });
        }
        state.last += 1;
        let number = state.last;
        let (grant, granted) = oneshot::channel();
        let waiter = WaitingRequest { number, load: Arc::clone(&load), makes_room: limit.is_some(), grant };
        state.waiting.push(address, waiter);
        Ok(ThreadSlot { threads, load, number: Some(number), granted: Some(ThreadGrant::Later(granted)) })
    }

    /// Passes a free thread to the next waiting request.
    fn pass_on(self: &Arc<Self>) {
        loop {
            let next = {
                let mut state = self.lock();
                let next = state.waiting.take();
                if next.is_none() {
                    state.running = state.running.saturating_sub(1);
                }
                next
            };
            let Some(waiter) = next else { return };
            match waiter.grant.send(Thread(Some(Arc::clone(self)))) {
                Ok(()) => return,
                // the request was dropped at this moment: try the next one
                Err(mut thread) => thread.0 = None,
            }
        }
    }
}

/// A thread for a request, which is released on drop.
#[derive(Debug)]
pub(crate) struct Thread(Option<Arc<Threads>>);

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.pass_on();
        }
    }
}

#[derive(Debug)]
enum ThreadGrant {
    Now(Thread),
    Later(oneshot::Receiver<Thread>),
}

/// The slot of a request, which is released on drop.
#[derive(Debug)]
pub(crate) struct ThreadSlot {
    threads: Arc<Threads>,
    load: WorkerLoad,
    /// The request's number among the waiting ones.
    number: Option<u64>,
    granted: Option<ThreadGrant>,
}

impl ThreadSlot {
    /// Waits for a thread.
    pub(crate) async fn thread(&mut self) -> Result<Thread, PoolFull> {
        // a granted thread stays in `self` until it is taken, because this future may be dropped
        if let Some(ThreadGrant::Later(granted)) = &mut self.granted {
            let thread = granted.await.map_err(|_| PoolFull)?;
            self.number = None;
            self.granted = None;
            return Ok(thread);
        }
        match self.granted.take() {
            Some(ThreadGrant::Now(thread)) => Ok(thread),
            _ => Err(PoolFull),
        }
    }

    /// Whether the request was displaced, so that its slot is already taken.
    fn is_displaced(&mut self) -> bool {
        let Some(number) = self.number else { return false };
        let withdrawn = self.threads.lock().waiting.remove(|waiter| waiter.number == number);
        match &mut self.granted {
            Some(ThreadGrant::Later(granted)) if withdrawn.is_none() => {
                matches!(granted.try_recv(), Err(TryRecvError::Closed))
            }
            _ => false,
        }
    }
}

impl Drop for ThreadSlot {
    fn drop(&mut self) {
        if !self.is_displaced() {
            self.load.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const fn host(network: u8) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::new(192, 0, network, 1))
    }

    /// Returns the present state of a slot.
    fn thread(slot: &mut ThreadSlot) -> Option<Result<Thread, PoolFull>> {
        match pin!(slot.thread()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(thread) => Some(thread),
            Poll::Pending => None,
        }
    }

    #[test]
    fn network_waits_for_one_turn_of_each_other() {
        let (threads, load) = (Threads::new(1), WorkerLoad::default());
        let enter = |network| threads.enter(&load, Some(host(network)), Some(99)).unwrap();
        let mut busy = enter(1);
        let running = thread(&mut busy).unwrap().unwrap();
        let mut flood = [enter(1), enter(1), enter(1), enter(2), enter(2)];
        let mut other = enter(3);
        let (mut order, mut free) = (Vec::new(), vec![running]);
        for _ in 0..6 {
            free.clear();
            for (who, slot) in flood.iter_mut().enumerate().filter(|(_, slot)| slot.granted.is_some()) {
                free.extend(thread(slot).map(|thread| (order.push(who), thread.unwrap()).1));
            }
            if other.granted.is_some() {
                free.extend(thread(&mut other).map(|thread| (order.push(99), thread.unwrap()).1));
            }
            assert_eq!(free.len(), 1, "one at a time");
        }
        assert_eq!(order, [0, 3, 99, 1, 4, 2]);
    }

    #[test]
    fn network_with_the_most_waiting_makes_room_on_the_same_worker() {
        let (threads, load, another) = (Threads::new(1), WorkerLoad::default(), WorkerLoad::default());
        let enter = |network, load| threads.enter(load, Some(host(network)), Some(4));
        let _busy = enter(1, &load).unwrap();
        let (_first, mut second) = (enter(1, &load).unwrap(), enter(1, &load).unwrap());
        let mut begun = threads.enter(&load, Some(host(1)), None).unwrap();
        let _elsewhere = [1, 1, 1, 1].map(|network| enter(network, &another).unwrap());
        assert!(matches!(enter(1, &load), Err(PoolFull)), "a network makes no room for itself");
        let _other = enter(2, &load).unwrap();
        assert_eq!(load.load(Ordering::Acquire), 4);
        assert!(matches!(thread(&mut second), Some(Err(PoolFull))), "the newest of those that may have to");
        assert!(thread(&mut begun).is_none());
        drop(second);
        assert_eq!(load.load(Ordering::Acquire), 4);
        assert!(matches!(enter(2, &load), Err(PoolFull)), "both have the same");
    }

    #[test]
    fn thread_of_abandoned_request_goes_to_the_next() {
        let (threads, load) = (Threads::new(1), WorkerLoad::default());
        let mut slots: Vec<ThreadSlot> =
            (1..5).map(|network| threads.enter(&load, Some(host(network)), Some(9)).unwrap()).collect();
        let mut last = slots.pop().unwrap();
        let mut granted = slots.pop().unwrap();
        drop(slots.pop().unwrap());
        let running = thread(&mut slots[0]).unwrap().unwrap();
        drop(running);
        // dropped after the thread was granted, but before it was taken
        assert_eq!(threads.lock().waiting.len(), 1);
        drop(granted.granted.take());
        assert!(thread(&mut last).unwrap().is_ok());
        drop((slots, granted, last));
        assert_eq!((threads.lock().running, load.load(Ordering::Acquire)), (0, 0));
    }
}
