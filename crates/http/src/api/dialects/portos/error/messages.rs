//! The texts of PORTOS' errors in both of its languages.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use tillgate_auth_core::AuthDenied;
use tillgate_domain::office::OfficeError;
use tillgate_domain::{DenialKind, MissingRight};

use super::ticket_messages;
use crate::api::dialects::portos::language::Language;
use crate::error::office::office_error_violations;
use crate::error::{ApiError, FieldErrorCode, FieldViolation, ProtocolError};

/// Returns the published title, or the reason phrase of the status if none is published.
pub(super) fn find_title(failure: &ApiError, status: StatusCode, language: Language) -> &'static str {
    match failure {
        ApiError::Denied(AuthDenied::Login(_)) if status == StatusCode::UNAUTHORIZED => {
            language.pick("Nesprávne meno alebo heslo.", "The user name or the password is wrong.")
        }
        ApiError::Denied(AuthDenied::Token(_) | AuthDenied::TokenUnproven(_)) => {
            language.pick("Nie ste prihlásený.", "You are not signed in.")
        }
        _ => status.canonical_reason().unwrap_or_default(),
    }
}

/// Returns a text for people; none if the title is one already.
pub(super) fn find_detail(failure: &ApiError, language: Language) -> Option<Cow<'_, str>> {
    let pick = |slovak, english| Some(Cow::Borrowed(language.pick(slovak, english)));
    match failure {
        ApiError::Denied(denial) => describe_denial(denial, language),
        ApiError::Office(office_error) => describe_office_error(office_error, language),
        ApiError::Unavailable { .. } => {
            pick("Server teraz nemôže odpovedať. Skúste to znova.", "The server is temporarily unavailable. Try again.")
        }
        ApiError::Fault(_) => pick("Na serveri nastala chyba.", "An error occurred on the server."),
        // each member has its own message
        ApiError::Protocol(ProtocolError::InvalidFields(_)) => None,
        ApiError::Protocol(protocol) => Some(Cow::Borrowed(describe_protocol_error(protocol, language))),
    }
}

fn describe_denial(denial: &AuthDenied, language: Language) -> Option<Cow<'_, str>> {
    let pick = |slovak, english| Some(Cow::Borrowed(language.pick(slovak, english)));
    match denial {
        AuthDenied::TooManyAttempts { .. } => {
            pick("Príliš veľa nesprávnych pokusov. Skúste to neskôr.", "Too many failed attempts. Try again later.")
        }
        AuthDenied::TooManyExchanges { .. } => {
            pick("Príliš veľa výmen tokenu. Skúste to neskôr.", "Too many exchanges of the token. Try again later.")
        }
        // the published titles are texts for people
        AuthDenied::Login(_) | AuthDenied::Token(_) | AuthDenied::TokenUnproven(_) => None,
        AuthDenied::Proof(_) => pick("Chýba platný dôkaz o kľúči.", "A valid proof of the key is missing."),
        AuthDenied::RightMissing(MissingRight(right)) => Some(Cow::Owned(match language {
            Language::Slovak => format!("Chýba právo {right}."),
            Language::English => format!("The right {right} is missing."),
        })),
        AuthDenied::RankTooLow(rank) => Some(Cow::Owned(match language {
            Language::Slovak => format!("Chýba rola {}.", rank.name()),
            Language::English => format!("The role {} is missing.", rank.name()),
        })),
        AuthDenied::WeakPassword(_) => pick("Heslo je príliš slabé.", "The password is too weak."),
        // devices are enrolled, PINs set and operators signed in in the native API only
        AuthDenied::EnrollmentUnknown
        | AuthDenied::TillRequired
        | AuthDenied::TillModeOff
        | AuthDenied::OperatorMismatch
        | AuthDenied::OperatorThrottled { .. }
        | AuthDenied::KeyKnown
        | AuthDenied::Poll(_)
        | AuthDenied::WeakPin(_)
        | AuthDenied::WrongPassword => pick("Táto požiadavka nie je povolená.", "This request is not allowed."),
        AuthDenied::SessionNotFound => pick("Taká relácia neexistuje.", "There is no such session."),
    }
}

fn describe_office_error(office_error: &OfficeError, language: Language) -> Option<Cow<'static, str>> {
    // if several tickets are changed at once, each has its own messages, too
    Some(Cow::Borrowed(match office_error.leading() {
        OfficeError::Ticket(why) => return Some(ticket_messages::describe_refusal(why, language)),
        OfficeError::RightMissing(_) | OfficeError::RankTooHigh(_) => {
            language.pick("Chýba právo.", "A right is missing.")
        }
        // each member has its own message
        other if !office_error_violations(other).is_empty() => return None,
        other => match other.kind() {
            DenialKind::NotFound => language.pick("Taký záznam neexistuje.", "There is no such record."),
            DenialKind::VersionMismatch => language.pick(
                "Záznam medzitým niekto zmenil. Načítajte ho znova.",
                "The record has been changed in the meantime. Read it again.",
            ),
            _ => language.pick("Táto zmena nie je možná.", "This change cannot be made."),
        },
    }))
}

fn describe_protocol_error(protocol: &ProtocolError, language: Language) -> &str {
    match protocol {
        ProtocolError::MalformedBody(why) => language.pick("Telo požiadavky sa nedá prečítať.", why),
        ProtocolError::ChunkedSignature => language.pick(
            "Prenos po častiach (STREAMING-AWS4-HMAC-SHA256-PAYLOAD, nws-chunked) nie je podporovaný: podpíšte telo ako celok.",
            "The chunked form (STREAMING-AWS4-HMAC-SHA256-PAYLOAD, nws-chunked) is not supported: sign the body as a whole.",
        ),
        ProtocolError::InvalidFields(_) => language.pick("Niektoré údaje nie sú platné.", "Some values are not valid."),
        ProtocolError::UnsupportedMediaType => language.pick(
            "Telo požiadavky musí byť application/json a nezakódované.",
            "The body must be application/json without a content encoding.",
        ),
        ProtocolError::BodyTooLarge => language.pick("Telo požiadavky je príliš veľké.", "The body is too large."),
        ProtocolError::BodyTimeout => language.pick("Telo požiadavky neprišlo včas.", "The body was not received in time."),
        ProtocolError::RouteNotFound => language.pick("Na tejto adrese nič nie je.", "There is no resource at this path."),
        ProtocolError::MethodNotAllowed { .. } => {
            language.pick("Táto adresa takúto metódu nepozná.", "This path does not accept this method.")
        }
        ProtocolError::UntrustedOrigin => {
            language.pick("Stránky z tejto domény to nesmú.", "Pages of this origin may not send this request.")
        }
        // these occur only in the native API and the back office
        ProtocolError::TlsRequired | ProtocolError::NoAccessRule | ProtocolError::MissingOriginalRequest | ProtocolError::PreconditionRequired | ProtocolError::InvalidIdempotencyKey | ProtocolError::StreamLimitReached(_) | ProtocolError::MailNotConfigured(_) => {
            language.pick("Táto požiadavka nie je povolená.", "This request is not allowed.")
        }
        ProtocolError::RateLimited { .. } => {
            language.pick("Z tejto adresy prišlo príliš veľa požiadaviek.", "Too many requests from this address.")
        }
    }
}

/// Returns the message of a violation and its published number.
pub(super) fn describe_violation(violation: &FieldViolation, language: Language) -> (&'static str, Option<u8>) {
    match violation.code {
        FieldErrorCode::Required => (language.pick("Pole je povinné.", "The field is required."), Some(1)),
        FieldErrorCode::Taken => (language.pick("Hodnota sa už používa.", "The value is already in use."), Some(2)),
        FieldErrorCode::Unexpected => {
            (language.pick("Záznam sa teraz takto nedá zmeniť.", "The record cannot be changed like this now."), None)
        }
        _ => (language.pick("Neplatná hodnota.", "The value is not valid."), None),
    }
}
