//! What a permanent refusal of the mail server concerns: the recipient or the message, or the
//! server that sends.

use std::error::Error as _;

use lettre::transport::smtp::Error;

/// Replies that concern the sending server, at any step: an unknown or misplaced command, and
/// unknown parameters (RFC 5321, section 4.2.2), a host that accepts no mail (RFC 7504), and a
/// login that is missing or wrong (RFC 4954, section 6).
const SERVER_REPLY_CODES: [u16; 10] = [500, 502, 503, 504, 521, 530, 534, 535, 538, 555];

/// Whether an error is a refusal of the recipient or of the message, so that a retry is pointless.
/// It must be the reply to a step that has a recipient.
///
/// Many mail servers refuse a client or a sender only when it names the recipient. Such a refusal
/// can be recognized if the reply has an enhanced status code.
pub(super) fn concerns_mail(error: &Error) -> bool {
    let Some(code) = error.status().filter(|_| error.is_permanent()) else { return false };
    let concerns_server = SERVER_REPLY_CODES.contains(&u16::from(code))
        || error.source().and_then(|text| parse_enhanced_code(&text.to_string())).is_some_and(enhanced_concerns_server);
    !concerns_server
}

/// The subject and detail of the enhanced status code (RFC 3463) with which a reply begins, if it
/// is one of a permanent failure.
fn parse_enhanced_code(text: &str) -> Option<(u16, u16)> {
    let (subject, detail) = text.split_whitespace().next()?.strip_prefix("5.")?.split_once('.')?;
    Some((subject.parse().ok()?, detail.parse().ok()?))
}

/// Whether an enhanced status code concerns the sending server or the mail server: the sender's
/// address (X.1.7, X.1.8), the mail system unless the message is too large for it (X.3), the
/// protocol (X.5), or an authorization or policy (X.7).
const fn enhanced_concerns_server((subject, detail): (u16, u16)) -> bool {
    matches!((subject, detail), (1, 7 | 8) | (5 | 7, _)) || subject == 3 && detail != 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enhanced_codes_of_sender_protocol_and_policy_concern_the_server() {
        for (text, concerns_server) in [
            ("5.1.1 <a@b>: no such user", false),
            ("5.1.7 bad sender", true),
            ("5.1.8 sender domain not found", true),
            ("5.2.2 mailbox full", false),
            ("5.3.2 system not accepting mail", true),
            ("5.3.4 too large", false),
            ("5.5.4 invalid parameters", true),
            ("5.7.1 relay access denied", true),
        ] {
            assert_eq!(parse_enhanced_code(text).map(enhanced_concerns_server), Some(concerns_server), "{text}");
        }
        for text in ["", "no such user", "5.1 x", "5.1.x x", "4.7.1 later", "5.1.1.1 x"] {
            assert_eq!(parse_enhanced_code(text), None, "{text}");
        }
    }
}
