//! A till: it stores a response before it uses it, and keeps the newer of two. Its storage survives
//! a crash, its threads do not.

use std::time::Duration;

use crate::server::Access;

/// The state of a thread's refresh.
#[derive(Clone, Debug, Default)]
pub(crate) enum Thread {
    #[default]
    Idle,
    /// It has sent this many requests and waits.
    Waiting,
    /// It has a response to what it sent then, and has not stored it.
    Holding(Access, Duration),
}

/// The till. A careless one uses a response before it has stored it.
#[derive(Debug)]
pub(crate) struct Till {
    pub(crate) careless: bool,
    /// The file: the generation of the refresh token, and the access token that came with it.
    pub(crate) stored: Access,
    pub(crate) threads: Vec<Thread>,
    /// The request for which each thread waits. Responses to others are ignored.
    pub(crate) attempts: Vec<u32>,
    /// What each thread has read from the file for an unfinished refresh, and when.
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

    /// A thread stops waiting.
    pub(crate) fn abort(&mut self, thread: usize) {
        self.attempts[thread] += 1;
        self.threads[thread] = Thread::Idle;
    }

    /// A thread stores its response, unless a newer one is stored already.
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

    /// The till is killed: responses that no thread has stored, and those on their way, are lost.
    pub(crate) fn kill(&mut self) {
        for thread in 0..self.threads.len() {
            self.abort(thread);
            self.read[thread] = None;
        }
    }
}
