//! The page at which a person verifies their e-mail address.

use askama::Template;

use super::{assets_path, render};
use crate::page_language::PageLanguage;

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyEmailState<'a> {
    /// The button that verifies the address.
    Confirm {
        /// Display name of the tenant.
        shop: &'a str,
        /// The address that is verified.
        email: &'a str,
    },
    /// The address is verified.
    Verified,
    /// The token is unknown, used or expired (422).
    Invalid,
    /// Temporarily unavailable (503); the button is shown again.
    Unavailable,
}

impl VerifyEmailState<'_> {
    const fn key(self) -> &'static str {
        match self {
            Self::Confirm { .. } => "auth.verify_email.text",
            Self::Verified => "auth.verify_email.done",
            Self::Invalid => "auth.verify_email.invalid",
            Self::Unavailable => "auth.unavailable",
        }
    }
}

/// The page at which a person verifies their e-mail address. Its form posts `token` to
/// `<prefix>/verify-email`.
#[derive(Clone, Copy, Debug)]
pub struct VerifyEmailPage<'a> {
    /// Language of the page.
    pub language: PageLanguage,
    /// Prefix of the back office, such as `/office`.
    pub prefix: &'a str,
    /// The token of the link.
    pub token: &'a str,
    /// What the page shows.
    pub state: VerifyEmailState<'a>,
}

#[derive(Template)]
#[template(path = "verify_email.html")]
struct VerifyEmailTemplate<'a> {
    language: PageLanguage,
    assets: String,
    page: &'a VerifyEmailPage<'a>,
    text: &'a str,
    /// The shop and the address, if they are shown.
    subject: Option<(&'a str, &'a str)>,
    has_form: bool,
    is_unavailable: bool,
}

impl VerifyEmailPage<'_> {
    /// Renders the page as HTML.
    pub fn render(&self) -> String {
        let Self { language, prefix, state, .. } = *self;
        let subject = match state {
            VerifyEmailState::Confirm { shop, email } => Some((shop, email)),
            VerifyEmailState::Verified | VerifyEmailState::Invalid | VerifyEmailState::Unavailable => None,
        };
        render(&VerifyEmailTemplate {
            language,
            assets: assets_path(prefix),
            page: self,
            text: language.text(state.key()),
            subject,
            has_form: matches!(state, VerifyEmailState::Confirm { .. } | VerifyEmailState::Unavailable),
            is_unavailable: state == VerifyEmailState::Unavailable,
        })
    }
}
