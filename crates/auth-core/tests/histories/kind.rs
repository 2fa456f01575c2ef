//! The events that a history may contain, and those that it did.

use std::fmt;

/// The events that a history may contain.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is apart from the others")]
pub(crate) struct Kind {
    pub(crate) threads: usize,
    pub(crate) thief: bool,
    pub(crate) careless: bool,
    /// More than one process serves.
    pub(crate) processes: bool,
    /// The store has a clock of its own, by which it dates rotations.
    pub(crate) clocked: bool,
    /// Processes run on machines with different clocks.
    pub(crate) skewed: bool,
    /// Clocks are set.
    pub(crate) steps: bool,
    /// Processes restart.
    pub(crate) restarts: bool,
    /// No process serves for longer than the grace period, then all restart.
    pub(crate) outages: bool,
    /// The database server is unavailable for longer than the grace period, and another one takes
    /// over.
    pub(crate) failovers: bool,
    /// A thread of the till reads its file once for all attempts at a refresh, not for each.
    pub(crate) reads_once: bool,
    /// The store is rolled back.
    pub(crate) back: bool,
    /// No request arrives for which no thread waits any more.
    pub(crate) prompt: bool,
}

impl Kind {
    /// Everything except a thief.
    pub(crate) const WILD: Self = Self {
        threads: 1,
        thief: false,
        careless: false,
        processes: true,
        clocked: false,
        skewed: false,
        steps: true,
        restarts: true,
        outages: true,
        failovers: false,
        reads_once: false,
        back: true,
        prompt: false,
    };

    /// The combinations of events. A concurrent or late request is distinguished from a thief by
    /// the time of the rotation, which a store that loses a rotation also loses. With several
    /// requests on their way, the store is therefore rolled back only under one process that
    /// continues; with one request, everything may happen. Clocks may differ and be set at will:
    /// over a store with a clock of its own, each process has its own machine; over one without,
    /// they share one.
    pub(crate) fn of(self, seed: u64) -> Self {
        match seed % 4 {
            0 => Self { clocked: true, skewed: true, failovers: !self.reads_once, back: false, ..self },
            1 => Self { back: false, ..self },
            2 if self.threads == 1 => Self { prompt: true, ..self },
            _ => Self { processes: false, restarts: false, outages: false, ..self },
        }
    }
}

/// How often each event happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HistoryCounts {
    pub(crate) histories: u64,
    pub(crate) rotated: u64,
    pub(crate) repeated: u64,
    pub(crate) lost: u64,
    pub(crate) expired: u64,
    pub(crate) unavailable: u64,
    pub(crate) went_back: u64,
    pub(crate) restarted: u64,
    pub(crate) outages: u64,
    pub(crate) failovers: u64,
    /// How often the clock of the database server was set.
    pub(crate) store_stepped: u64,
    /// Repeats of a used previous token although its grace period was over, because no process
    /// could vouch for that.
    pub(crate) forgiven: u64,
    pub(crate) stepped: u64,
    pub(crate) ended: u64,
    pub(crate) stolen: u64,
    pub(crate) caught: u64,
    pub(crate) logged_out: u64,
}

impl HistoryCounts {
    pub(crate) fn add(&mut self, more: &Self) {
        self.histories += more.histories;
        self.rotated += more.rotated;
        self.repeated += more.repeated;
        self.lost += more.lost;
        self.expired += more.expired;
        self.unavailable += more.unavailable;
        self.went_back += more.went_back;
        self.restarted += more.restarted;
        self.outages += more.outages;
        self.failovers += more.failovers;
        self.forgiven += more.forgiven;
        self.stepped += more.stepped;
        self.store_stepped += more.store_stepped;
        self.ended += more.ended;
        self.stolen += more.stolen;
        self.caught += more.caught;
        self.logged_out += more.logged_out;
    }

    /// A property that holds because nothing happens proves nothing.
    pub(crate) fn assert_lively(&self, kind: Kind) {
        let each = self.histories / 20;
        assert!(
            self.rotated > self.histories && self.repeated > self.histories && self.lost > self.histories,
            "{self:?}"
        );
        assert!(self.expired > each && self.ended > each, "{self:?}");
        assert!(!kind.back || self.went_back > each, "{self:?}");
        assert!(!kind.restarts || (self.restarted > each && self.outages > each), "{self:?}");
        assert!(kind.reads_once || self.failovers > each, "{self:?}");
        assert!(!kind.reads_once || self.forgiven > 0, "{self:?}");
        assert!(!kind.steps || (self.stepped > each && self.store_stepped > 0 && self.unavailable > 0), "{self:?}");
        assert!(!kind.thief || (self.stolen > each && self.caught > each), "{self:?}");
        assert_eq!(self.logged_out, 0, "{self:?}");
    }
}

/// A violated property.
#[derive(Debug)]
pub(crate) struct PropertyViolation {
    /// The number of the property in the list of these tests.
    pub(crate) property: u8,
    what: String,
}

impl fmt::Display for PropertyViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "property {} broken: {}", self.property, self.what)
    }
}

pub(crate) fn violation(property: u8, what: &str) -> PropertyViolation {
    PropertyViolation { property, what: what.to_owned() }
}
