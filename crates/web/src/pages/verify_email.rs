//! The page at which a person verifies their e-mail address.

use askama::Template;

use super::{assets_path, render};
use crate::page_language::PageLanguage;

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyEmailState {
    /// The button that verifies the address.
    Confirm,
    /// The address is verified.
    Verified,
    /// The token is unknown, used or expired (422).
    Invalid,
    /// Temporarily unavailable (503); the button is shown again.
    Unavailable,
}

impl VerifyEmailState {
    const fn key(self) -> &'static str {
        match self {
            Self::Confirm => "auth.verify_email.text",
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
    pub state: VerifyEmailState,
}

#[derive(Template)]
#[template(path = "verify_email.html")]
struct VerifyEmailTemplate<'a> {
    language: PageLanguage,
    assets: String,
    page: &'a VerifyEmailPage<'a>,
    text: &'a str,
    has_form: bool,
    is_unavailable: bool,
}

impl VerifyEmailPage<'_> {
    /// Renders the page as HTML.
    pub fn render(&self) -> String {
        let Self { language, prefix, state, .. } = *self;
        render(&VerifyEmailTemplate {
            language,
            assets: assets_path(prefix),
            page: self,
            text: language.text(state.key()),
            has_form: matches!(state, VerifyEmailState::Confirm | VerifyEmailState::Unavailable),
            is_unavailable: state == VerifyEmailState::Unavailable,
        })
    }
}
