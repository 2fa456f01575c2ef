//! The texts of mails, in the languages of the pages. They contain no name: names are chosen by
//! users, and the mail would carry their text.

use std::time::Duration;

use tillgate_domain::office::ports::MailKind;
use tillgate_domain::{Instant, Locale};

use crate::command::json::format_instant;

/// A language of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MailLanguage {
    English,
    Slovak,
    Indonesian,
}

impl MailLanguage {
    /// The language of a user; English if there are no texts in it.
    pub(super) fn of_locale(locale: &Locale) -> Self {
        match locale.as_str().split('-').next() {
            Some(primary) if primary.eq_ignore_ascii_case("sk") => Self::Slovak,
            Some(primary) if primary.eq_ignore_ascii_case("id") => Self::Indonesian,
            _ => Self::English,
        }
    }
}

/// A mail without its addresses.
pub(super) struct MailText {
    pub(super) subject: &'static str,
    pub(super) body: String,
}

/// The text of a mail with this link, which expires at this instant.
pub(super) fn link_text(kind: MailKind, language: MailLanguage, link: &str, expires_at: Instant) -> MailText {
    let (subject, request, unexpected) = match (kind, language) {
        (MailKind::Invitation, MailLanguage::English) => (
            "Choose your password",
            "You were invited to choose a password. Open this link until {until}:",
            "It works once. If you did not expect it, ignore this mail.",
        ),
        (MailKind::Invitation, MailLanguage::Slovak) => (
            "Zvoľte si heslo",
            "Dostali ste pozvánku, aby ste si zvolili heslo. Otvorte tento odkaz do {until}:",
            "Odkaz funguje raz. Ak ste ho nečakali, túto správu ignorujte.",
        ),
        (MailKind::Invitation, MailLanguage::Indonesian) => (
            "Pilih kata sandi Anda",
            "Anda diundang untuk memilih kata sandi. Buka tautan ini sebelum {until}:",
            "Tautan ini berlaku sekali. Jika Anda tidak mengharapkannya, abaikan email ini.",
        ),
        (MailKind::EmailVerification, MailLanguage::English) => (
            "Verify your e-mail address",
            "To confirm that you receive mail at this address, open this link until {until}\r\nand press the button:",
            "It works once. If you did not expect it, ignore this mail.",
        ),
        (MailKind::EmailVerification, MailLanguage::Slovak) => (
            "Overte svoju e-mailovú adresu",
            "Ak chcete potvrdiť, že na túto adresu dostávate poštu, otvorte tento odkaz do {until}\r\na stlačte tlačidlo:",
            "Odkaz funguje raz. Ak ste ho nečakali, túto správu ignorujte.",
        ),
        (MailKind::EmailVerification, MailLanguage::Indonesian) => (
            "Verifikasi alamat email Anda",
            "Untuk memastikan bahwa Anda menerima email di alamat ini,\r\nbuka tautan ini sebelum {until} dan tekan \
             tombolnya:",
            "Tautan ini berlaku sekali. Jika Anda tidak mengharapkannya, abaikan email ini.",
        ),
    };
    let request = request.replace("{until}", &format_minute(expires_at));
    MailText { subject, body: format!("{request}\r\n\r\n{link}\r\n\r\n{unexpected}\r\n") }
}

/// What resets a password: the link of an app, or the token to enter there.
pub(super) enum ResetCode<'c> {
    Link(&'c str),
    Token(&'c str),
}

/// The text of the mail for a password reset, whose token has this lifetime.
pub(super) fn reset_text(language: MailLanguage, code: &ResetCode<'_>, lifetime: Duration) -> MailText {
    let minutes = lifetime.as_secs() / 60;
    let (ResetCode::Link(text) | ResetCode::Token(text)) = code;
    let pick = |link: &'static str, token: &'static str| match code {
        ResetCode::Link(_) => link,
        ResetCode::Token(_) => token,
    };
    let (subject, request, how, end) = match language {
        MailLanguage::English => (
            "Reset your password",
            "Somebody requested a password reset for this e-mail address.",
            format!(
                "To choose a new password, {} within {minutes} minutes:",
                pick("open this link", "enter this code in your app")
            ),
            "It works once. If you did not request this, ignore this mail: the password does not change.",
        ),
        MailLanguage::Slovak => (
            "Obnovenie hesla",
            "Niekto požiadal o obnovenie hesla pre túto e-mailovú adresu.",
            format!(
                "Nové heslo si zvolíte tak, že do {minutes} minút {}:",
                pick("otvoríte tento odkaz", "zadáte tento kód vo svojej aplikácii")
            ),
            "Funguje raz. Ak ste o to nepožiadali, túto správu ignorujte: heslo sa nezmení.",
        ),
        MailLanguage::Indonesian => (
            "Atur ulang kata sandi Anda",
            "Seseorang meminta pengaturan ulang kata sandi untuk alamat email ini.",
            format!(
                "Untuk memilih kata sandi baru, {} dalam {minutes} menit:",
                pick("buka tautan ini", "masukkan kode ini di aplikasi Anda")
            ),
            "Berlaku sekali. Jika Anda tidak memintanya, abaikan email ini: kata sandi tidak berubah.",
        ),
    };
    MailText { subject, body: format!("{request}\r\n{how}\r\n\r\n{text}\r\n\r\n{end}\r\n") }
}

/// An instant to the minute: `2026-11-22 08:00 UTC`.
fn format_minute(at: Instant) -> String {
    let text = format_instant(at);
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reset_mail_has_the_link_or_the_token_on_a_line_of_its_own() {
        for language in [MailLanguage::English, MailLanguage::Slovak, MailLanguage::Indonesian] {
            for code in [ResetCode::Link("https://app.example/reset?token=abc_-"), ResetCode::Token("abc_-")] {
                let mail = reset_text(language, &code, Duration::from_mins(30));
                let (ResetCode::Link(text) | ResetCode::Token(text)) = code;
                assert!(mail.body.contains(&format!("\r\n\r\n{text}\r\n\r\n")), "{}", mail.body);
                assert!(mail.body.contains("30") && mail.body.lines().all(|line| line.chars().count() <= 100));
                // a mail in ASCII is not encoded, so that the link is not split
                assert!(language != MailLanguage::English || mail.body.is_ascii(), "{}", mail.body);
            }
        }
    }

    #[test]
    fn link_is_a_line_of_its_own_in_every_language() {
        let link = "https://pos.example/office/invitation#abc_-";
        let mut subjects = std::collections::BTreeSet::new();
        for kind in MailKind::ALL {
            for (tag, language) in
                [("en", MailLanguage::English), ("sk-SK", MailLanguage::Slovak), ("ID", MailLanguage::Indonesian)]
            {
                assert_eq!(MailLanguage::of_locale(&Locale::parse(tag).unwrap()), language);
                let mail = link_text(*kind, language, link, Instant::from_millis(1_800_000_000_123));
                assert!(mail.body.contains(&format!("\r\n{link}\r\n")), "{}", mail.body);
                assert!(mail.body.contains("2027-01-15 08:00 UTC") && !mail.body.contains('{'), "{}", mail.body);
                assert!(mail.body.lines().all(|line| line.chars().count() <= 100), "{}", mail.body);
                subjects.insert(mail.subject);
            }
        }
        assert_eq!(subjects.len(), 6, "{subjects:?}");
        assert_eq!(MailLanguage::of_locale(&Locale::parse("de").unwrap()), MailLanguage::English);
    }
}
