//! What the rules of tickets say, in PORTOS' two languages.

use std::borrow::Cow;

use tillgate_domain::ticket::TicketRefused;

use super::language::Language;
use crate::failure::sentence;

/// The sentence for a refusal.
pub(super) fn said(why: &TicketRefused, language: Language) -> Cow<'static, str> {
    match language {
        Language::English => sentence(&why.to_string()).into(),
        Language::Slovak => slovak(why),
    }
}

fn slovak(why: &TicketRefused) -> Cow<'static, str> {
    match why {
        TicketRefused::Missing(right) => format!("Chýba právo {right}.").into(),
        TicketRefused::NoPerson => "Doklady patria ľuďom; prihláste sa ako používateľ.".into(),
        TicketRefused::NotSelling => {
            "Toto sa robí na predajnom zariadení; prihláste sa na pokladni alebo čašníku (PDA).".into()
        }
        TicketRefused::Moved { .. } => "Doklad medzitým niekto zmenil. Načítajte ho znova.".into(),
        TicketRefused::Closed => "Doklad je uzavretý a už sa nemení.".into(),
        TicketRefused::Void => "Doklad bol zrušený a už sa nemení; otvorte nový.".into(),
        TicketRefused::TooLarge => "Sumy na doklade sú príliš veľké.".into(),
        TicketRefused::TooMany { most, .. } => format!("Na doklade je toho príliš veľa; najviac {most}.").into(),
        TicketRefused::Twice(item) => format!("Položka {item} je na doklade dvakrát.").into(),
        TicketRefused::Rounding { step } => format!("Zaokrúhlenie musí byť menšie ako {step}.").into(),
        TicketRefused::Unpayable { places, .. } => {
            format!("Suma smie mať najviac {places} desatinné miesta; zaokrúhlite ju.").into()
        }
        TicketRefused::NumberTaken(number) => {
            format!("Číslo {number} už má iný doklad; uveďte číslo, ktoré pridelilo fiškálne zariadenie.").into()
        }
        TicketRefused::Empty => "Doklad nemá položky; pridajte ich, alebo ho zrušte.".into(),
        TicketRefused::Unpaid { left } => format!("Treba ešte zaplatiť {left}.").into(),
        TicketRefused::Overpaid { over } => format!("Zaplatené je o {over} viac a vydáva sa len z hotovosti.").into(),
        TicketRefused::Payment { .. } => "Platba nesmie byť nulová a musí ísť správnym smerom.".into(),
        TicketRefused::NotSold => "Vrátiť sa dá len uzavretý doklad.".into(),
        TicketRefused::RefundOfRefund => "Tento doklad je sám vrátením.".into(),
        TicketRefused::NothingReturned => "Uveďte aspoň jednu položku, ktorá sa vracia.".into(),
        TicketRefused::NoItem(item) => format!("Predaný doklad nemá položku {item}.").into(),
        TicketRefused::MoreThanSold { item, left } => format!("Z položky {item} sa dá vrátiť ešte {left}.").into(),
        TicketRefused::RefundFixed => "Čo sa vracia, sa nemení; vrátenie zrušte a urobte nové.".into(),
        TicketRefused::Several(all) => all.iter().map(slovak).collect::<Vec<_>>().join(" ").into(),
        TicketRefused::Contradiction(_) => "Na serveri nastala chyba.".into(),
    }
}
