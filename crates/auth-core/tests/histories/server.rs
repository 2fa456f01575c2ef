//! What a history requires of a server; the model and the engine implement it.

use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::clock::{Clock, ClockConfidence};
use tillgate_auth_core::ports::StoreClock;
use tillgate_auth_core::{RefreshTerms, Session, TokenDenied};
use tillgate_domain::Instant;
use tillgate_testkit::clock::CLOCK_START;
use tillgate_testkit::{ManualClock, Random};

use crate::OVERLAP;
use crate::kind::Kind;

/// The terms of the session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) idle: Duration,
    pub(crate) absolute: Option<Duration>,
}

impl Terms {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let hours = Duration::from_hours;
        let absolute = if random.once_in(3) { Some(hours(4)) } else { None };
        Self { idle: random.pick(&[hours(2), hours(12)]), absolute }
    }

    pub(crate) fn to_session_terms(self) -> tillgate_auth_core::Terms {
        tillgate_auth_core::Terms {
            access: Duration::from_mins(15),
            refresh: Some(RefreshTerms { idle: Some(self.idle), overlap: Some(OVERLAP), first_reusable: false }),
            absolute: self.absolute,
            midnight: false,
            exchange_overlap: None,
            office: None,
        }
    }
}

/// An access token of the session.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) generation: i64,
    pub(crate) expires_at: Instant,
    /// The generation of the refresh token, if there is one.
    pub(crate) token: String,
}

/// The response to a refresh.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Granted(Access),
    Refused(TokenDenied),
    /// Nothing was decided.
    Unavailable,
}

/// What a process can know, from an observer independent of the judge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessView {
    /// The generation of the session in the store.
    pub(crate) generation: i64,
    /// The highest used generation that this process knows.
    pub(crate) used: i64,
    /// The minimal age of the rotation: by the monotonic clock if this process did it, otherwise by
    /// the clock of the store or its own, and no longer than it can vouch for.
    pub(crate) age: Option<Duration>,
    /// The time that it assumes.
    pub(crate) now: Instant,
}

/// How a process restarts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Start {
    /// How far the wall clock was set in between, and whether forward.
    pub(crate) step: Option<(Duration, bool)>,
    /// Whether the machine restarted, too.
    pub(crate) reboot: bool,
}

impl Start {
    /// What happens to the clock of the machine.
    pub(crate) fn apply(self, clock: &ManualClock) {
        if self.reboot {
            clock.reboot();
        }
        if let Some((span, forward)) = self.step {
            set(clock, span, forward);
        }
    }
}

/// Sets a wall clock.
pub(crate) fn set(clock: &ManualClock, span: Duration, forward: bool) {
    if forward {
        clock.step_forward(span);
    } else {
        clock.step_back(span);
    }
}

/// The clock of another database server: ahead of the previous one, or behind it.
pub(crate) fn replace_clock(before: &ManualClock) -> Arc<ManualClock> {
    let ahead = before.now().millis() / 1000 % 2 == 0;
    let off = Duration::from_secs(100);
    let now = before.now();
    Arc::new(ManualClock::starting_at(if ahead { now.saturating_add(off) } else { now.saturating_sub(off) }))
}

/// The environment of the processes of a history.
#[derive(Clone, Debug)]
pub(crate) struct Machines {
    /// The offset of the clock of each process, in seconds.
    pub(crate) off: Vec<i64>,
    /// Whether the store has a clock of its own; otherwise all processes run on one machine.
    pub(crate) clocked: bool,
}

impl Machines {
    /// A single process.
    pub(crate) fn one() -> Self {
        Self { off: vec![0], clocked: false }
    }

    pub(crate) fn draw(kind: Kind, random: &mut Random) -> Self {
        let many = if kind.processes { 1 + random.below(2) } else { 1 };
        let off =
            |random: &mut Random| if kind.skewed { random.pick(&[0, 30, -30, 200, -200, 600, 3600, -3600]) } else { 0 };
        Self { off: (0..many).map(|_| off(random)).collect(), clocked: kind.clocked }
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

/// What an observer knows of what a process can vouch for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VouchedTime {
    started: Duration,
    /// The last database server, since when it has been the same without a jump of its clock, and
    /// its clock at the zero of the monotonic clock.
    server: Option<(i64, Duration, i64)>,
}

impl VouchedTime {
    pub(crate) fn from(started: Duration) -> Self {
        Self { started, server: None }
    }

    /// The time that it can vouch for at a reading now.
    pub(crate) fn span(&self, clock: Option<StoreClock>, now: Duration, steady: Duration) -> Duration {
        match clock {
            None => (now - self.started).min(steady),
            Some(clock) => {
                let known = self.server.filter(|known| Self::goes_on(known, clock, now));
                known.map_or(Duration::ZERO, |(_, since, _)| now - since)
            }
        }
    }

    /// Processes a reading now.
    pub(crate) fn record_reading(&mut self, clock: Option<StoreClock>, now: Duration) {
        if let Some(clock) = clock {
            let known = self.server.filter(|known| Self::goes_on(known, clock, now));
            self.server = Some((clock.server, known.map_or(now, |(_, since, _)| since), Self::origin(clock, now)));
        }
    }

    fn origin(clock: StoreClock, now: Duration) -> i64 {
        clock.now.millis() - i64::try_from(now.as_millis()).unwrap()
    }

    /// Whether it is the same server, whose clock has not advanced by more than a minute.
    fn goes_on((server, _, origin): &(i64, Duration, i64), clock: StoreClock, now: Duration) -> bool {
        *server == clock.server && Self::origin(clock, now) - *origin <= 60_000
    }

    /// The minimal age of the rotation of a session. `own` is what this process wrote for it, and
    /// how long ago.
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

/// A session on a server. A generation stands for its refresh token.
pub(crate) trait Server {
    /// When the session was created, and the access token of its login.
    fn login(&self) -> (Instant, Access);
    fn terms(&self) -> Terms;
    fn processes(&self) -> usize;
    fn seen(&self, process: usize) -> ProcessView;
    fn refresh(&mut self, process: usize, presented: i64) -> Reply;
    /// Whether a request with this token is accepted.
    fn call(&mut self, process: usize, access: &Access) -> bool;
    /// Ends the session from outside.
    fn end(&mut self);
    /// Lets time pass.
    fn advance(&mut self, span: Duration);
    /// Sets the wall clock of a process.
    fn step(&mut self, process: usize, by: (Duration, bool));
    /// Sets the clock of the database server, if the store has one.
    fn step_store(&mut self, by: (Duration, bool));
    /// A process writes its recorded uses.
    fn write_activity(&mut self, process: usize);
    /// Whether a process doubts its clock.
    fn in_doubt(&self) -> bool;
    /// A process dies and restarts, and if its machine restarts or its clock is set, so do the
    /// others on it. Unwritten uses are lost.
    fn restart(&mut self, process: usize, start: Start);
    /// Another database server takes over, if the store has one.
    fn fail_over(&mut self);
    /// Makes a backup, which replaces the previous one.
    fn back_up(&mut self);
    /// Restores the backup. Returns false if there is none.
    fn go_back(&mut self) -> bool;
}
