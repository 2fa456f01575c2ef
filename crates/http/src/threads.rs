//! The threads that may wait for the database or for a hash: so many at once for the whole server, and who waits for one gets it in
//! the turn of its network. A flood from many networks then keeps another network waiting for one turn of each, however many
//! requests each of them has sent.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillgate_auth_core::FairQueue;
use tokio::sync::oneshot::{self, error::TryRecvError};

/// What a worker has on such threads or waiting for one.
pub(crate) type Inside = Arc<AtomicUsize>;

/// A request that waits for a thread.
#[derive(Debug)]
struct Waiter {
    number: u64,
    /// The worker whose request it is.
    inside: Inside,
    /// Whether it may have to make room for a request of another network.
    makes_room: bool,
    /// Gets the thread; dropped where it has to make room.
    grant: oneshot::Sender<Thread>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    last: u64,
    waiting: FairQueue<Waiter>,
}

/// The threads of a server.
#[derive(Debug)]
pub(crate) struct Threads {
    most: usize,
    state: Mutex<State>,
}

/// No room to wait in, or a request of another network needed the room more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Threads {
    /// So many at once.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place among the `limit` of this worker, for a request from `address`. Where all are taken, the newest that waits of
    /// the network that has the most waiting makes room, if it has more than this one will have. Without a limit the request always
    /// has a place and keeps it.
    pub(crate) fn enter(
        self: &Arc<Self>,
        inside: &Inside,
        address: Option<IpAddr>,
        limit: Option<usize>,
    ) -> Result<Place, NoRoom> {
        let mut state = self.lock();
        if limit.is_some_and(|limit| inside.load(Ordering::Acquire) >= limit) {
            let same_worker = |waiter: &Waiter| waiter.makes_room && Arc::ptr_eq(&waiter.inside, inside);
            let own = state.waiting.count_of(address, same_worker);
            // its sender goes, which tells it; its place is free at once
            drop(state.waiting.displace(own + 1, same_worker).ok_or(NoRoom)?);
            inside.fetch_sub(1, Ordering::AcqRel);
        }
        inside.fetch_add(1, Ordering::AcqRel);
        let (threads, inside) = (Arc::clone(self), Arc::clone(inside));
        if state.running < self.most {
            state.running += 1;
            let granted = Some(ThreadGrant::Now(Thread(Some(Arc::clone(self)))));
            return Ok(Place { threads, inside, number: None, granted });
        }
        state.last += 1;
        let number = state.last;
        let (grant, granted) = oneshot::channel();
        let waiter = Waiter { number, inside: Arc::clone(&inside), makes_room: limit.is_some(), grant };
        state.waiting.push(address, waiter);
        Ok(Place { threads, inside, number: Some(number), granted: Some(ThreadGrant::Later(granted)) })
    }

    /// Gives a thread that is free to the next who waits for one.
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
                // whoever waited has gone at this moment: the next one
                Err(mut thread) => thread.0 = None,
            }
        }
    }
}

/// A thread that a request may use, until this is dropped.
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

/// The place of a request, which is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    threads: Arc<Threads>,
    inside: Inside,
    /// The request's number among those that wait.
    number: Option<u64>,
    granted: Option<ThreadGrant>,
}

impl Place {
    /// Waits for the thread.
    pub(crate) async fn thread(&mut self) -> Result<Thread, NoRoom> {
        // what was granted stays here until it is taken: this future may be dropped
        if let Some(ThreadGrant::Later(granted)) = &mut self.granted {
            let thread = granted.await.map_err(|_| NoRoom)?;
            self.number = None;
            self.granted = None;
            return Ok(thread);
        }
        match self.granted.take() {
            Some(ThreadGrant::Now(thread)) => Ok(thread),
            _ => Err(NoRoom),
        }
    }

    /// Whether it had to make room: whoever needed the room has taken it.
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

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_displaced() {
            self.inside.fetch_sub(1, Ordering::AcqRel);
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

    /// What has become of a place by now.
    fn thread(place: &mut Place) -> Option<Result<Thread, NoRoom>> {
        match pin!(place.thread()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(thread) => Some(thread),
            Poll::Pending => None,
        }
    }

    #[test]
    fn network_waits_for_one_turn_of_each_other() {
        let (threads, inside) = (Threads::new(1), Inside::default());
        let enter = |network| threads.enter(&inside, Some(host(network)), Some(99)).unwrap();
        let mut busy = enter(1);
        let running = thread(&mut busy).unwrap().unwrap();
        let mut flood = [enter(1), enter(1), enter(1), enter(2), enter(2)];
        let mut other = enter(3);
        let (mut order, mut free) = (Vec::new(), vec![running]);
        for _ in 0..6 {
            free.clear();
            for (who, place) in flood.iter_mut().enumerate().filter(|(_, place)| place.granted.is_some()) {
                free.extend(thread(place).map(|thread| (order.push(who), thread.unwrap()).1));
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
        let (threads, inside, another) = (Threads::new(1), Inside::default(), Inside::default());
        let enter = |network, inside| threads.enter(inside, Some(host(network)), Some(4));
        let _busy = enter(1, &inside).unwrap();
        let (_first, mut second) = (enter(1, &inside).unwrap(), enter(1, &inside).unwrap());
        let mut begun = threads.enter(&inside, Some(host(1)), None).unwrap();
        let _elsewhere = [1, 1, 1, 1].map(|network| enter(network, &another).unwrap());
        assert!(matches!(enter(1, &inside), Err(NoRoom)), "a network makes no room for itself");
        let _other = enter(2, &inside).unwrap();
        assert_eq!(inside.load(Ordering::Acquire), 4);
        assert!(matches!(thread(&mut second), Some(Err(NoRoom))), "the newest of those that may have to");
        assert!(thread(&mut begun).is_none());
        drop(second);
        assert_eq!(inside.load(Ordering::Acquire), 4);
        assert!(matches!(enter(2, &inside), Err(NoRoom)), "both have the same");
    }

    #[test]
    fn thread_of_whoever_has_gone_goes_to_the_next() {
        let (threads, inside) = (Threads::new(1), Inside::default());
        let mut places: Vec<Place> =
            (1..5).map(|network| threads.enter(&inside, Some(host(network)), Some(9)).unwrap()).collect();
        let mut last = places.pop().unwrap();
        let mut granted = places.pop().unwrap();
        drop(places.pop().unwrap());
        let running = thread(&mut places[0]).unwrap().unwrap();
        drop(running);
        // it has the thread by now, and goes without having taken it
        assert_eq!(threads.lock().waiting.len(), 1);
        drop(granted.granted.take());
        assert!(thread(&mut last).unwrap().is_ok());
        drop((places, granted, last));
        assert_eq!((threads.lock().running, inside.load(Ordering::Acquire)), (0, 0));
    }
}
