//! What a history asks of a server: the pure model and the engine answer alike.

use std::time::Duration;

use tillgate_auth_core::{Refresh, TokenRefusal};
use tillgate_domain::Instant;

use crate::OVERLAP;
use crate::chance::Chance;

/// The terms of a history's session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) idle: Duration,
    pub(crate) absolute: Option<Duration>,
}

impl Terms {
    pub(crate) fn drawn(chance: &mut Chance) -> Self {
        let hours = Duration::from_hours;
        let absolute = if chance.once_in(3) { Some(hours(4)) } else { None };
        Self { idle: chance.pick(&[hours(2), hours(12)]), absolute }
    }

    pub(crate) fn whole(self) -> tillgate_auth_core::Terms {
        tillgate_auth_core::Terms {
            access: Duration::from_mins(15),
            refresh: Some(Refresh { idle: Some(self.idle), overlap: Some(OVERLAP), first_reusable: false }),
            absolute: self.absolute,
            midnight: false,
            exchange_overlap: None,
        }
    }
}

/// An access token.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) generation: i64,
    pub(crate) expires_at: Instant,
    /// Where there is one.
    pub(crate) token: String,
}

/// What a refresh is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Granted(Access),
    Refused(TokenRefusal),
    /// Nobody was judged.
    Unavailable,
}

/// What a process can know, told by nobody whom the judge asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Where the session stands in the store.
    pub(crate) generation: i64,
    /// The highest generation that was used, as far as this process knows.
    pub(crate) used: i64,
    /// How long ago the session was rotated: by the monotonic clock where this process did so, else by its believed clock.
    pub(crate) age: Option<Duration>,
    /// What time it believes it is.
    pub(crate) now: Instant,
}

/// A session somewhere, from its login on. Generations stand for refresh tokens: those of one generation are the same.
pub(crate) trait Server {
    /// When it was made, and the access token of its login.
    fn login(&self) -> (Instant, Access);
    fn terms(&self) -> Terms;
    fn processes(&self) -> usize;
    fn seen(&self, process: usize) -> Seen;
    fn refresh(&mut self, process: usize, presented: i64) -> Reply;
    /// Whether a request with this token is let in.
    fn call(&mut self, process: usize, access: &Access) -> bool;
    /// The session is ended by another hand.
    fn end(&mut self);
    /// Time goes by.
    fn advance(&mut self, span: Duration);
    /// The wall clock of a process is set.
    fn step(&mut self, process: usize, span: Duration, forward: bool);
    /// A process writes the uses that it knows of.
    fn write_uses(&mut self, process: usize);
    /// A process dies and starts anew. What it has not written is lost.
    fn restart(&mut self, process: usize);
    /// A backup is made; one that was made before is thrown away.
    fn back_up(&mut self);
    /// The backup takes the place of the store. False where there is none.
    fn go_back(&mut self) -> bool;
}
