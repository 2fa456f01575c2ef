//! Whether mails with links wait that cannot be sent.

use std::time::Duration;

use tillgate_domain::office::ports::QueuedMail;
use tillgate_domain::{Instant, office};
use tillgate_persistence::Database;

use crate::command::confirmation::count_text;
use crate::command::doctor::finding::Finding;
use crate::command::json::format_instant;
use crate::configuration::Settings;
use crate::ids::IdSource;
use crate::mail::{Mailer, SmtpTimeouts};

/// The maximum number of waiting mails that are counted.
const MAX_COUNTED_MAILS: u32 = 10_000;

/// How long after a failed attempt a mail is due again, at most.
const MAX_DELAY: Duration = Duration::from_hours(1);

pub(super) fn check_mails(settings: &Settings, database: &Database) -> Finding {
    let now = IdSource::default().now();
    match office::unguarded::list_due_mails(database, now.saturating_add(MAX_DELAY), MAX_COUNTED_MAILS) {
        Ok(queued) => {
            let waiting: Vec<_> = queued.into_iter().filter(|mail| mail.expires_at > now).collect();
            mails_finding(settings, &waiting, || find_refusal(settings))
        }
        Err(error) => Finding::problem("mails", error.to_string(), "see the check \"database\""),
    }
}

/// Why the mail server does not accept mail of this server, if it does not. No mail is sent.
fn find_refusal(settings: &Settings) -> Option<String> {
    let mailer = match Mailer::from_settings(settings, SmtpTimeouts::INTERACTIVE) {
        Ok(mailer) => mailer,
        Err(error) => return Some(error.to_string()),
    };
    mailer.check_server().err().map(|error| error.to_string())
}

/// `find_refusal` is called if mails could not be sent.
fn mails_finding(
    settings: &Settings,
    waiting: &[QueuedMail],
    find_refusal: impl FnOnce() -> Option<String>,
) -> Finding {
    const CHECK: &str = "mails";
    let can_send_links = settings.server.public_url.is_some();
    let first_expiry: Option<Instant> = waiting.iter().map(|mail| mail.expires_at).min();
    let Some(first_expiry) = first_expiry else { return Finding::ok(CHECK, "no mail with a link is queued") };
    let (mails, expiry) = (count_text(waiting.len(), "queued mail"), format_instant(first_expiry));
    let failed = waiting.iter().filter(|mail| mail.tries > 0).count();
    if can_send_links && failed == 0 {
        return Finding::ok(CHECK, format!("{mails} with a link; the first link expires at {expiry}"));
    }
    if can_send_links {
        let found = format!("{mails}; {failed} could not be sent so far; the first link expires at {expiry}");
        let (found, remedy) = match find_refusal() {
            Some(why) => (
                format!("{found}; the mail server does not accept mail of this server: {why}"),
                "correct the settings below [mail], or the mail server; then check it with",
            ),
            None => (found, "the log of the server has the reason (WARN); check the mail server with"),
        };
        return Finding::problem(CHECK, found, remedy).with_command(settings, "mail test ADDRESS");
    }
    Finding::problem(
        CHECK,
        format!("{mails} cannot be sent, because server.public_url is not set; the first link expires at {expiry}"),
        "set server.public_url to the address at which people reach the server, such as https://pos.example, and \
         restart the server",
    )
}

#[cfg(test)]
mod tests {
    use tillgate_domain::office::ports::MailKind;
    use tillgate_domain::{Email, UserId};

    use super::*;
    use crate::configuration::{Flags, load_settings};

    #[test]
    fn mails_that_wait_are_counted_and_require_a_public_url() {
        let settings = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let flags = Flags { data: Some("/nowhere/at/all".into()), ..Flags::default() };
            load_settings(&flags, &pairs).unwrap()
        };
        let (bare, public) = (settings(&[]), settings(&[("TILLGATE_SERVER__PUBLIC_URL", "https://pos.example")]));
        let mail = |kind, expires_at| QueuedMail {
            kind,
            user: UserId::new(Instant::default(), [1; 10]),
            email: Email::parse("anna@example.com").unwrap(),
            requested_at: Instant::default(),
            expires_at: Instant::from_millis(expires_at),
            due_at: Instant::default(),
            tries: 0,
        };
        let one = [mail(MailKind::Invitation, 1_800_000_000_000)];
        let two = [mail(MailKind::EmailVerification, 1_800_000_060_000), one[0].clone()];
        let unasked = || -> Option<String> { panic!("the mail server is not asked") };
        assert!(mails_finding(&bare, &[], unasked).is_ok());
        let line = mails_finding(&public, &one, unasked).to_line();
        assert_eq!(line, "ok    mails: 1 queued mail with a link; the first link expires at 2027-01-15T08:00:00.000Z");
        let failed = [QueuedMail { tries: 1, ..one[0].clone() }, one[0].clone()];
        let line = mails_finding(&public, &failed, || None).to_line();
        assert!(line.starts_with("FIX   mails: 2 queued mails; 1 could not be sent so far;"), "{line}");
        assert!(line.ends_with("with: tillgate mail test ADDRESS --data /nowhere/at/all"), "{line}");
        let line =
            mails_finding(&public, &failed, || Some("MAIL FROM: permanent error (550): no".to_owned())).to_line();
        assert!(line.contains("does not accept mail of this server: MAIL FROM: permanent error (550): no\n"), "{line}");
        assert!(line.contains("correct the settings below [mail]"), "{line}");
        let line = mails_finding(&bare, &two, unasked).to_line();
        assert!(
            line.starts_with("FIX   mails: 2 queued mails cannot be sent, because server.public_url is not set")
                && line.contains("2027-01-15T08:00:00.000Z")
                && line.contains("set server.public_url"),
            "{line}"
        );
    }
}
