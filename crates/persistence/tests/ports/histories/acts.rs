//! What a till tries to do to a ticket, drawn by chance that repeats, and what came of it.

use tillgate_domain::office::{Refused, WantedLine};
use tillgate_domain::ticket::{Article, ItemKind, Label, Line, Note, Quantity, Rate, Ticket, TicketStatus};

/// What is drawn is the same at each run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// What a till tries.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// These quantities of items 1, 2 and so on, each at 1.00.
    Items(Vec<u64>),
    Discount(u64),
    Close,
    Void,
    /// So many of item 1, or all that is left.
    Refund(Option<u64>),
}

/// What a till did, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) act: Act,
    /// The version that it held to.
    pub(super) seen: Option<i64>,
    /// A mark that every change writes, so that each makes a version.
    pub(super) mark: String,
    pub(super) done: Result<Ticket, Refused>,
}

pub(super) fn of(quantity: u64) -> Quantity {
    quantity.to_string().parse().unwrap()
}

pub(super) fn items(quantities: &[u64]) -> Vec<WantedLine> {
    let line = |(id, quantity): (u32, &u64)| WantedLine {
        id: Some(id),
        line: Line {
            id,
            external_id: Label::default(),
            kind: ItemKind::Positive,
            article: Article { discount_allowed: true, ..Article::default() },
            comment: Note::default(),
            unit_price: "1".parse().unwrap(),
            quantity: of(*quantity),
            unit: Label::default(),
            discount: Rate::ZERO,
        },
    };
    (1..).zip(quantities).map(line).collect()
}

/// What a till does next: mostly changes, seldom an end; a refund only says something where the ticket may be closed.
pub(super) fn choose(dice: &mut Dice, ticket: &Ticket, known: i64) -> (Act, Option<i64>) {
    let sides = if ticket.state.status() == TicketStatus::Open { 0..10 } else { 6..10 };
    let act = match sides.start + dice.roll(sides.end - sides.start) {
        0..=2 => Act::Items((0..=dice.roll(2)).map(|_| 1 + dice.roll(4)).collect()),
        3..=4 => Act::Discount(dice.roll(51)),
        5..=6 => Act::Close,
        7 => Act::Void,
        8 => Act::Refund(Some(1 + dice.roll(3))),
        _ => Act::Refund(None),
    };
    (act, (dice.roll(4) > 0).then_some(known))
}
