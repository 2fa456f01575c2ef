//! What may happen in a history, and what did.

use std::fmt;

/// What may happen.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is apart from the others")]
pub(crate) struct Kind {
    pub(crate) threads: usize,
    pub(crate) thief: bool,
    pub(crate) careless: bool,
    /// More than one process serves.
    pub(crate) processes: bool,
    /// Clocks are set.
    pub(crate) steps: bool,
    /// Processes start anew.
    pub(crate) restarts: bool,
    /// The store goes back.
    pub(crate) back: bool,
    /// No request arrives that nobody waits for any more.
    pub(crate) prompt: bool,
}

impl Kind {
    /// Everything but a thief.
    pub(crate) const WILD: Self = Self {
        threads: 1,
        thief: false,
        careless: false,
        processes: true,
        steps: true,
        restarts: true,
        back: true,
        prompt: false,
    };

    /// What may happen together. A sibling, or a request that is late, is told from a thief by when the session was rotated. The
    /// process that did so measures it; another, or the same after a new start, has nothing but the instant in the store and its
    /// own clock. So where several requests are on their way, clocks that step and a store that forgets are one process's, and
    /// where one is, everything happens.
    pub(crate) fn of(self, seed: u64) -> Self {
        match seed % 3 {
            0 => Self { steps: false, back: false, ..self },
            1 if self.threads == 1 => Self { prompt: true, ..self },
            _ => Self { processes: false, restarts: false, ..self },
        }
    }
}

/// What happened how often.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) histories: u64,
    pub(crate) rotated: u64,
    pub(crate) repeated: u64,
    pub(crate) lost: u64,
    pub(crate) expired: u64,
    pub(crate) unavailable: u64,
    pub(crate) went_back: u64,
    pub(crate) restarted: u64,
    pub(crate) stepped: u64,
    pub(crate) ended: u64,
    pub(crate) stolen: u64,
    pub(crate) caught: u64,
    pub(crate) logged_out: u64,
}

impl Counted {
    pub(crate) fn add(&mut self, more: &Self) {
        self.histories += more.histories;
        self.rotated += more.rotated;
        self.repeated += more.repeated;
        self.lost += more.lost;
        self.expired += more.expired;
        self.unavailable += more.unavailable;
        self.went_back += more.went_back;
        self.restarted += more.restarted;
        self.stepped += more.stepped;
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
        assert!(!kind.restarts || self.restarted > each, "{self:?}");
        assert!(!kind.steps || (self.stepped > each && self.unavailable > 0), "{self:?}");
        assert!(!kind.thief || (self.stolen > each && self.caught > each), "{self:?}");
        assert_eq!(self.logged_out, 0, "{self:?}");
    }
}

/// A property that did not hold.
#[derive(Debug)]
pub(crate) struct Broken {
    /// Its number at the head of these tests.
    pub(crate) property: u8,
    what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "property {} broken: {}", self.property, self.what)
    }
}

pub(crate) fn broken(property: u8, what: &str) -> Broken {
    Broken { property, what: what.to_owned() }
}
