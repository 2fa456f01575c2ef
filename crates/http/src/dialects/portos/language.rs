//! The two languages that PORTOS answers in, and every sentence in both.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use tillgate_auth_core::Refusal;
use tillgate_domain::office::Refused;

use super::accept_language;
use super::ticket_words;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::head::Head;

/// The languages that PORTOS answers in.
#[derive(Clone, Copy)]
pub(super) enum Language {
    Slovak,
    English,
}

impl Language {
    /// The one that the request prefers; Slovak where it prefers neither.
    pub(super) fn of(head: &Head) -> Self {
        Self::accepted(head.headers())
    }

    /// The same, by the headers of a request.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(ACCEPT_LANGUAGE).filter_map(|line| line.to_str().ok());
        if accept_language::prefers(lines, "en", "sk") { Self::English } else { Self::Slovak }
    }

    /// Its tag (RFC 9110, 8.5).
    pub(super) const fn tag(self) -> &'static str {
        self.pick("sk-SK", "en-GB")
    }

    const fn pick<'t>(self, slovak: &'t str, english: &'t str) -> &'t str {
        match self {
            Self::Slovak => slovak,
            Self::English => english,
        }
    }
}

/// The published sentences; where there is none, the status's own phrase.
pub(super) fn title(failure: &Failure, status: StatusCode, language: Language) -> &'static str {
    match failure {
        Failure::Refused(Refusal::Login(_)) if status == StatusCode::UNAUTHORIZED => {
            language.pick("Nesprávne meno alebo heslo.", "The user name or the password is wrong.")
        }
        Failure::Refused(Refusal::Token(_)) => language.pick("Nie ste prihlásený.", "You are not signed in."),
        _ => status.canonical_reason().unwrap_or_default(),
    }
}

/// What a person reads where the title is a phrase alone.
pub(super) fn detail(failure: &Failure, language: Language) -> Option<Cow<'_, str>> {
    let told = |slovak, english| Some(Cow::Borrowed(language.pick(slovak, english)));
    match failure {
        Failure::Refused(refusal) => refused(refusal, language),
        Failure::Office(refused) => decided_against(refused, language),
        Failure::Unavailable { .. } => {
            told("Server teraz nemôže odpovedať. Skúste to znova.", "The server cannot answer now. Try again.")
        }
        Failure::Fault(_) => told("Na serveri nastala chyba.", "Something is broken on the server's side."),
        // each member has a sentence of its own
        Failure::Protocol(Protocol::Fields(_)) => None,
        Failure::Protocol(protocol) => Some(Cow::Borrowed(broken(protocol, language))),
    }
}

fn refused(refusal: &Refusal, language: Language) -> Option<Cow<'_, str>> {
    let told = |slovak, english| Some(Cow::Borrowed(language.pick(slovak, english)));
    match refusal {
        Refusal::Held { .. } => {
            told("Príliš veľa nesprávnych pokusov. Skúste to neskôr.", "Too many wrong attempts. Try again later.")
        }
        // their titles are sentences
        Refusal::Login(_) | Refusal::Token(_) => None,
        Refusal::Missing(right) => Some(Cow::Owned(match language {
            Language::Slovak => format!("Chýba právo {right}."),
            Language::English => format!("The right {right} is missing."),
        })),
        Refusal::Rank(rank) => Some(Cow::Owned(match language {
            Language::Slovak => format!("Chýba rola {}.", rank.name()),
            Language::English => format!("The role {} is missing.", rank.name()),
        })),
        Refusal::Weak(_) => told("Heslo je príliš slabé.", "The password is too weak."),
        Refusal::NoSession => told("Taká relácia neexistuje.", "There is no such session."),
    }
}

fn decided_against(refused: &Refused, language: Language) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(match refused {
        Refused::Taken { .. }
        | Refused::Unknown { .. }
        | Refused::Invalid { .. }
        | Refused::Repeated { .. }
        | Refused::Empty { .. }
        | Refused::Unproved
        | Refused::Several(_)
        | Refused::Spans(_) => {
            return None;
        }
        Refused::Ticket(why) => return Some(ticket_words::said(why, language)),
        Refused::Absent { .. } => language.pick("Taký záznam neexistuje.", "There is no such record."),
        Refused::Moved { .. } | Refused::TicketMoved { .. } => language.pick(
            "Záznam medzitým niekto zmenil. Načítajte ho znova.",
            "Somebody has changed the record meanwhile. Read it again.",
        ),
        Refused::Missing(_) | Refused::TooHigh(_) => language.pick("Chýba právo.", "A right is missing."),
        Refused::Held { .. }
        | Refused::BuiltIn
        | Refused::LastStore
        | Refused::Full { .. }
        | Refused::LastAdmin
        | Refused::Virtual
        | Refused::OwnPassword
        | Refused::Status { .. }
        | Refused::KeyReused => language.pick("Táto zmena nie je možná.", "This change cannot be made."),
    }))
}

fn broken(protocol: &Protocol, language: Language) -> &str {
    match protocol {
        Protocol::Malformed(why) => language.pick("Telo požiadavky sa nedá prečítať.", why),
        Protocol::SignedInChunks => language.pick(
            "Prenos po častiach (STREAMING-AWS4-HMAC-SHA256-PAYLOAD, nws-chunked) nie je podporovaný: podpíšte telo ako celok.",
            "the chunked form (STREAMING-AWS4-HMAC-SHA256-PAYLOAD, nws-chunked) is not taken: sign the body as a whole",
        ),
        Protocol::Fields(_) => language.pick("Niektoré údaje nie sú platné.", "Some of what was sent is not valid."),
        Protocol::ContentType => language.pick(
            "Telo požiadavky musí byť application/json a nezakódované.",
            "The body must be application/json, not encoded.",
        ),
        Protocol::TooLarge => language.pick("Telo požiadavky je príliš veľké.", "The body is too large."),
        Protocol::Slow => language.pick("Telo požiadavky neprišlo včas.", "The body did not come in time."),
        Protocol::NoRoute => language.pick("Na tejto adrese nič nie je.", "There is nothing at this path."),
        Protocol::WrongMethod { .. } => {
            language.pick("Táto adresa takúto metódu nepozná.", "This path does not take this method.")
        }
        Protocol::ForeignOrigin => {
            language.pick("Stránky z tejto domény to nesmú.", "Pages of this origin may not do this.")
        }
        // asked of gateways, and of the native API's calls
        Protocol::Unlisted | Protocol::NothingAsked | Protocol::Unversioned | Protocol::IdempotencyKey => {
            language.pick("Táto požiadavka nie je povolená.", "Nobody may do this.")
        }
        Protocol::TooMany { .. } => {
            language.pick("Z tejto adresy prišlo príliš veľa požiadaviek.", "This address has sent too many requests.")
        }
    }
}

/// What is wrong with a member, and the published number of it.
pub(super) fn of_member(fault: &FieldFault, language: Language) -> (&'static str, Option<u8>) {
    match fault.code.as_ref() {
        "required" => (language.pick("Pole je povinné.", "The field is required."), Some(1)),
        "taken" => (language.pick("Hodnota sa už používa.", "The value is already in use."), Some(2)),
        _ => (language.pick("Neplatná hodnota.", "The value is not valid."), None),
    }
}
