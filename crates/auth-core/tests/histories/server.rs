//! What a history asks of a server: the pure model and the engine answer alike.

use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::clock::{Clock, ClockConfidence};
use tillgate_auth_core::ports::StoreClock;
use tillgate_auth_core::{RefreshTerms, Session, TokenDenied};
use tillgate_domain::Instant;
use tillgate_testkit::ManualClock;
use tillgate_testkit::clock::CLOCK_START;

use crate::OVERLAP;
use crate::chance::Chance;
use crate::kind::Kind;

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
            refresh: Some(RefreshTerms { idle: Some(self.idle), overlap: Some(OVERLAP), first_reusable: false }),
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
    Refused(TokenDenied),
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
    /// How long ago the session was rotated at least: by the monotonic clock where this process did so, else by the clock of the
    /// store or its own, and no longer than it can vouch for.
    pub(crate) age: Option<Duration>,
    /// What time it believes it is.
    pub(crate) now: Instant,
}

/// How a process starts anew.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Start {
    /// How far the wall clock was set meanwhile, and whether forward.
    pub(crate) step: Option<(Duration, bool)>,
    /// Whether the machine started anew too.
    pub(crate) reboot: bool,
}

impl Start {
    /// What becomes of the machine's clock.
    pub(crate) fn apply(self, clock: &ManualClock) {
        if self.reboot {
            clock.reboot();
        }
        if let Some((span, forward)) = self.step {
            set(clock, span, forward);
        }
    }
}

/// Somebody sets a wall clock.
pub(crate) fn set(clock: &ManualClock, span: Duration, forward: bool) {
    if forward {
        clock.step_forward(span);
    } else {
        clock.step_back(span);
    }
}

/// The clock of another database server: ahead of the one before, or behind it.
pub(crate) fn another(before: &ManualClock) -> Arc<ManualClock> {
    let ahead = before.now().millis() / 1000 % 2 == 0;
    let off = Duration::from_secs(100);
    let now = before.now();
    Arc::new(ManualClock::starting_at(if ahead { now.saturating_add(off) } else { now.saturating_sub(off) }))
}

/// On what a history's processes run.
#[derive(Clone, Debug)]
pub(crate) struct Machines {
    /// How far the clock of each process is off, in seconds.
    pub(crate) off: Vec<i64>,
    /// Whether the store has a clock of its own; otherwise all processes run on one machine.
    pub(crate) clocked: bool,
}

impl Machines {
    /// One process.
    pub(crate) fn one() -> Self {
        Self { off: vec![0], clocked: false }
    }

    pub(crate) fn drawn(kind: Kind, chance: &mut Chance) -> Self {
        let many = if kind.processes { 1 + chance.below(2) } else { 1 };
        let off =
            |chance: &mut Chance| if kind.skewed { chance.pick(&[0, 30, -30, 200, -200, 600, 3600, -3600]) } else { 0 };
        Self { off: (0..many).map(|_| off(chance)).collect(), clocked: kind.clocked }
    }

    /// The clock of each process, and that of the store.
    pub(crate) fn clocks(&self) -> (Vec<Arc<ManualClock>>, Option<Arc<ManualClock>>) {
        if !self.clocked {
            let one = Arc::new(ManualClock::default());
            return (self.off.iter().map(|_| Arc::clone(&one)).collect(), None);
        }
        let at =
            |off: &i64| Arc::new(ManualClock::starting_at(Instant::from_millis(CLOCK_START.millis() + off * 1000)));
        (self.off.iter().map(at).collect(), Some(Arc::new(ManualClock::default())))
    }
}

/// What a looker-on knows of what a process can vouch for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vouching {
    started: Duration,
    /// The database server that it asked last, since when it asks that one and the server's clock has not jumped, and what that
    /// clock said at the zero of the monotonic one.
    server: Option<(i64, Duration, i64)>,
}

impl Vouching {
    pub(crate) fn from(started: Duration) -> Self {
        Self { started, server: None }
    }

    /// For how long it can vouch, if it is asked now.
    pub(crate) fn span(&self, clock: Option<StoreClock>, now: Duration, steady: Duration) -> Duration {
        match clock {
            None => (now - self.started).min(steady),
            Some(clock) => {
                let known = self.server.filter(|known| Self::goes_on(known, clock, now));
                known.map_or(Duration::ZERO, |(_, since, _)| now - since)
            }
        }
    }

    /// It is asked now.
    pub(crate) fn ask(&mut self, clock: Option<StoreClock>, now: Duration) {
        if let Some(clock) = clock {
            let known = self.server.filter(|known| Self::goes_on(known, clock, now));
            self.server = Some((clock.server, known.map_or(now, |(_, since, _)| since), Self::origin(clock, now)));
        }
    }

    fn origin(clock: StoreClock, now: Duration) -> i64 {
        clock.now.millis() - i64::try_from(now.as_millis()).unwrap()
    }

    /// Whether it is the same server, whose clock has not got ahead by over a minute.
    fn goes_on((server, _, origin): &(i64, Duration, i64), clock: StoreClock, now: Duration) -> bool {
        *server == clock.server && Self::origin(clock, now) - *origin <= 60_000
    }

    /// How old the rotation of a session is at least. `own` is what this process wrote of it and how long ago.
    pub(crate) fn age(
        &self,
        session: &Session,
        clock: Option<StoreClock>,
        own: Option<(Instant, Duration)>,
        process: (Instant, ClockConfidence, Duration),
    ) -> Option<Duration> {
        let (now, belief, monotonic) = process;
        let at = session.rotated_at?;
        let mut vouched = self.span(clock, monotonic, belief.steady_for);
        match own {
            Some((wrote, ago)) if wrote == at => return Some(ago),
            Some((wrote, ago)) if wrote > at => vouched = vouched.min(ago),
            _ => {}
        }
        let since = match clock {
            None => now.duration_since(at),
            Some(clock) => clock.since_rotation.unwrap_or(Duration::MAX),
        };
        Some(if belief.in_doubt { Duration::ZERO } else { since.min(vouched) })
    }
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
    fn step(&mut self, process: usize, by: (Duration, bool));
    /// The clock of the database server is set, if the store is one.
    fn step_store(&mut self, by: (Duration, bool));
    /// A process writes the uses that it knows of.
    fn write_activity(&mut self, process: usize);
    /// Whether a process doubts its clock.
    fn in_doubt(&self) -> bool;
    /// A process dies and starts anew, and where its machine does or is set, so do the others on it. What they have not written is
    /// lost.
    fn restart(&mut self, process: usize, start: Start);
    /// Another database server takes over, if the store is one.
    fn fail_over(&mut self);
    /// A backup is made; one that was made before is thrown away.
    fn back_up(&mut self);
    /// The backup takes the place of the store. False where there is none.
    fn go_back(&mut self) -> bool;
}
