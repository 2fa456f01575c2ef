//! Random actions of tills on tickets, and their results.

use tillgate_domain::office::{ItemInput, OfficeError};
use tillgate_domain::ticket::{Article, ItemDraft, ItemKind, Label, Note, Quantity, Rate, Ticket, TicketStatus};
use tillgate_testkit::Random;

/// An action of a till.
#[derive(Clone, Debug)]
pub(super) enum TillAction {
    /// Sets the quantities of items 1, 2 and so on, each at 1.00.
    Items(Vec<u64>),
    Discount(u64),
    Close,
    Void,
    /// Refunds this quantity of item 1, or everything that is left.
    Refund(Option<u64>),
}

/// An action and its result.
#[derive(Clone, Debug)]
pub(super) struct ActionRecord {
    pub(super) action: TillAction,
    /// The version with which it was conditional.
    pub(super) expected_version: Option<i64>,
    /// A mark that every change writes, so that each creates a version.
    pub(super) mark: String,
    pub(super) result: Result<Ticket, OfficeError>,
}

pub(super) fn parse_quantity(quantity: u64) -> Quantity {
    quantity.to_string().parse().unwrap()
}

pub(super) fn wanted_items(quantities: &[u64]) -> Vec<ItemInput> {
    let line = |(id, quantity): (u32, &u64)| ItemInput {
        id: Some(id),
        item: ItemDraft {
            id,
            external_id: Label::default(),
            kind: ItemKind::Positive,
            article: Article { discount_allowed: true, ..Article::default() },
            comment: Note::default(),
            unit_price: "1".parse().unwrap(),
            quantity: parse_quantity(*quantity),
            unit: Label::default(),
            discount: Rate::ZERO,
        },
    };
    (1..).zip(quantities).map(line).collect()
}

/// The next action of a till: mostly changes, rarely an end. A refund matters only if the ticket
/// may be closed.
pub(super) fn choose_action(random: &mut Random, ticket: &Ticket, known: i64) -> (TillAction, Option<i64>) {
    let sides = if ticket.state.status() == TicketStatus::Open { 0..10 } else { 6..10 };
    let act = match sides.start + random.number_below(sides.end - sides.start) {
        0..=2 => TillAction::Items((0..=random.number_below(2)).map(|_| 1 + random.number_below(4)).collect()),
        3..=4 => TillAction::Discount(random.number_below(51)),
        5..=6 => TillAction::Close,
        7 => TillAction::Void,
        8 => TillAction::Refund(Some(1 + random.number_below(3))),
        _ => TillAction::Refund(None),
    };
    (act, (random.number_below(4) > 0).then_some(known))
}
