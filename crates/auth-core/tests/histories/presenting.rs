//! Presents a refresh token, and checks the response.

use std::time::Duration;

use tillgate_auth_core::TokenDenied;
use tillgate_domain::Instant;

use super::History;
use crate::OVERLAP;
use crate::kind::{PropertyViolation, violation};
use crate::server::{Access, ProcessView, Reply, Server};

impl<S: Server> History<S> {
    /// Whether presenting the token must end the session, by what this process can know.
    fn is_caught(&self, process: usize, presented: i64, seen: &ProcessView) -> bool {
        let long_ago = |at: Duration| self.now - at >= OVERLAP;
        let newest = seen.generation;
        let used = seen.used >= newest && self.used.get(&newest).copied().is_some_and(long_ago);
        let rotated = seen.age.is_some_and(|age| age >= OVERLAP);
        let forgiven = self.forgiven[process].is_some_and(|(of, at)| of == newest && !long_ago(at));
        presented + 2 <= newest || (presented + 1 == newest && used && rotated && !forgiven)
    }

    /// Presents a refresh token to a process.
    pub(super) fn present(&mut self, who: &str, presented: i64) -> Result<Option<Access>, PropertyViolation> {
        let process = self.process();
        let seen = self.server.seen(process);
        let caught = self.is_caught(process, presented, &seen);
        let reply = self.server.refresh(process, presented);
        self.trace(|| format!("{who} presents {presented} at {process}: {reply:?} ({seen:?})"));
        match reply {
            Reply::Granted(access) => {
                if caught {
                    return Err(violation(3, &format!("{who} presents {presented}, and the session goes on")));
                }
                if self.ended || seen.now >= self.bound {
                    return Err(violation(1, &format!("{who} refreshes what is over")));
                }
                self.count_grant(process, presented, &seen, &access);
                if access.expires_at > self.bound {
                    return Err(violation(1, "an access token outlives its session"));
                }
                Ok(Some(access))
            }
            Reply::Unavailable => {
                self.counted.unavailable += 1;
                Ok(None)
            }
            Reply::Refused(refusal) => {
                self.over = true;
                if self.ended && refusal == TokenDenied::SessionOver {
                    return Ok(None);
                }
                if refusal == TokenDenied::Expired {
                    self.counted.expired += 1;
                    let early = seen.now < self.bound;
                    return if early { Err(violation(2, "it has not expired")) } else { Ok(None) };
                }
                if self.stolen && refusal == TokenDenied::Replay {
                    self.counted.caught += 1;
                    return self.stays_over();
                }
                if self.kind.careless {
                    self.counted.logged_out += 1;
                    return Ok(None);
                }
                Err(violation(2, &format!("{who} presents {presented} and receives {refusal:?}")))
            }
        }
    }

    /// An ended session has ended for everybody, in every process.
    fn stays_over(&mut self) -> Result<Option<Access>, PropertyViolation> {
        let stored = self.till.stored.clone();
        for process in 0..self.server.processes() {
            let newest = self.server.seen(process).generation;
            for presented in [newest, stored.generation, newest + 1] {
                if matches!(self.server.refresh(process, presented), Reply::Granted(_)) {
                    return Err(violation(3, "a session goes on after a replay"));
                }
            }
            if self.server.call(process, &stored) {
                return Err(violation(3, "an access token is good after a replay"));
            }
        }
        Ok(None)
    }

    fn count_grant(&mut self, process: usize, presented: i64, seen: &ProcessView, access: &Access) {
        if access.generation > seen.generation {
            self.counted.rotated += 1;
            self.bound = self.bound_from(seen.now);
        } else {
            self.counted.repeated += 1;
            let used = seen.used >= seen.generation
                && self.used.get(&seen.generation).is_some_and(|at| self.now - *at >= OVERLAP);
            self.counted.forgiven += u64::from(used && presented < seen.generation);
            if presented < seen.generation && seen.used < seen.generation {
                self.forgiven[process] = Some((seen.generation, self.now));
            }
        }
    }

    pub(super) fn bound_from(&self, now: Instant) -> Instant {
        let idle = now.saturating_add(self.idle);
        self.absolute.map_or(idle, |absolute| idle.min(self.created.saturating_add(absolute)))
    }
}
