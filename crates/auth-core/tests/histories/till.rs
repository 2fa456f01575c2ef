//! A till: it stores an answer before it uses any of it, and keeps the newest of two. Its storage survives it, its threads do not.

use std::time::Duration;

use crate::server::Access;

/// What a thread of the till is doing about its refresh.
#[derive(Clone, Debug, Default)]
pub(crate) enum Thread {
    #[default]
    Idle,
    /// It has asked, this many times so far, and waits.
    Waiting,
    /// It has an answer, to what it sent then, that it has not stored.
    Holding(Access, Duration),
}

/// The till. A careless one uses an answer before it has stored it.
#[derive(Debug)]
pub(crate) struct Till {
    pub(crate) careless: bool,
    /// On its disk: the refresh token's generation, and the access token that came with it.
    pub(crate) stored: Access,
    pub(crate) threads: Vec<Thread>,
    /// Which request each thread waits for. Answers to others are not heard.
    pub(crate) attempts: Vec<u32>,
    /// What each thread has read from the disk for a refresh that has not come to its end, and when.
    pub(crate) read: Vec<Option<(i64, Duration)>>,
}

impl Till {
    pub(crate) fn new(first: Access, threads: usize, careless: bool) -> Self {
        Self {
            careless,
            stored: first,
            threads: vec![Thread::Idle; threads],
            attempts: vec![0; threads],
            read: vec![None; threads],
        }
    }

    /// Whether the thread still waits for this request.
    pub(crate) fn waits(&self, thread: usize, attempt: u32) -> bool {
        self.attempts[thread] == attempt && matches!(self.threads[thread], Thread::Waiting)
    }

    /// A thread no longer waits.
    pub(crate) fn abort(&mut self, thread: usize) {
        self.attempts[thread] += 1;
        self.threads[thread] = Thread::Idle;
    }

    /// A thread stores what it holds, unless something newer is stored already.
    pub(crate) fn store(&mut self, thread: usize) {
        let held = std::mem::take(&mut self.threads[thread]);
        if matches!(held, Thread::Holding(..)) {
            self.read[thread] = None;
        }
        if let Thread::Holding(access, _) = held
            && (access.generation, access.expires_at) >= (self.stored.generation, self.stored.expires_at)
        {
            self.stored = access;
        }
    }

    /// It is killed: what no thread has stored is lost, and so is every answer on its way.
    pub(crate) fn kill(&mut self) {
        for thread in 0..self.threads.len() {
            self.abort(thread);
            self.read[thread] = None;
        }
    }
}
