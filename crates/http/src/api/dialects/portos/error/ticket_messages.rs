//! Messages of ticket errors in PORTOS' two languages.

use std::borrow::Cow;

use tillgate_domain::MissingRight;
use tillgate_domain::ticket::TicketError;

use crate::api::dialects::portos::language::Language;
use crate::error::to_sentence;

/// Returns the message of an error.
pub(super) fn describe_refusal(why: &TicketError, language: Language) -> Cow<'static, str> {
    match language {
        Language::English => to_sentence(&why.to_string()).into(),
        Language::Slovak => describe_in_slovak(why),
    }
}

fn describe_in_slovak(why: &TicketError) -> Cow<'static, str> {
    match why {
        TicketError::RightMissing(MissingRight(right)) => format!("Chýba právo {right}.").into(),
        TicketError::PersonRequired => "Doklady patria ľuďom; prihláste sa ako používateľ.".into(),
        TicketError::SaleDeviceRequired => {
            "Toto sa robí na predajnom zariadení; prihláste sa na pokladni alebo čašníku (PDA).".into()
        }
        TicketError::VersionMismatch { .. } => "Doklad medzitým niekto zmenil. Načítajte ho znova.".into(),
        TicketError::Closed => "Doklad je uzavretý a už sa nemení.".into(),
        TicketError::Void => "Doklad bol zrušený a už sa nemení; otvorte nový.".into(),
        TicketError::TooLarge => "Sumy na doklade sú príliš veľké.".into(),
        TicketError::TooMany { most, .. } => format!("Na doklade je toho príliš veľa; najviac {most}.").into(),
        TicketError::DuplicateItem(item) => format!("Položka {item} je na doklade dvakrát.").into(),
        TicketError::RoundingTooLarge { step } => format!("Zaokrúhlenie musí byť menšie ako {step}.").into(),
        TicketError::Unpayable { places, .. } => {
            format!("Suma smie mať najviac {places} desatinné miesta; zaokrúhlite ju.").into()
        }
        TicketError::ReceiptNumberTaken(number) => {
            format!("Číslo {number} už má iný doklad; uveďte číslo, ktoré pridelilo fiškálne zariadenie.").into()
        }
        TicketError::NoItems => "Doklad nemá položky; pridajte ich, alebo ho zrušte.".into(),
        TicketError::Unpaid { left } => format!("Treba ešte zaplatiť {left}.").into(),
        TicketError::Overpaid { over } => format!("Zaplatené je o {over} viac a vydáva sa len z hotovosti.").into(),
        TicketError::InvalidPayment { .. } => "Platba nesmie byť nulová a musí ísť správnym smerom.".into(),
        TicketError::NotClosed => "Vrátiť sa dá len uzavretý doklad.".into(),
        TicketError::RefundOfRefund => "Tento doklad je sám vrátením.".into(),
        TicketError::EmptyRefund => "Uveďte aspoň jednu položku, ktorá sa vracia.".into(),
        TicketError::UnknownItem(item) => format!("Predaný doklad nemá položku {item}.").into(),
        TicketError::RefundTooLarge { item, left } => format!("Z položky {item} sa dá vrátiť ešte {left}.").into(),
        TicketError::RefundImmutable => "Čo sa vracia, sa nemení; vrátenie zrušte a urobte nové.".into(),
        TicketError::Multiple(all) => all.iter().map(describe_in_slovak).collect::<Vec<_>>().join(" ").into(),
        TicketError::Inconsistent(_) => "Na serveri nastala chyba.".into(),
    }
}
