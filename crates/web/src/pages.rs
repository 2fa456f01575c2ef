//! The auth pages: forms and messages that work without scripts.

mod set_up;
mod verify_email;

use std::fmt::Write as _;

use askama::Template;

use crate::assets::digest;
use crate::page_language::PageLanguage;

pub use set_up::{SetUpField, SetUpNotice, SetUpPage};
pub use verify_email::{VerifyEmailPage, VerifyEmailState};

/// Why the sign-in page is shown again, or what the person must know before signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInNotice {
    /// Name or password is wrong (401).
    Mismatch,
    /// The password was correct, but the person has no role in the back office (403).
    NoRole,
    /// The password was correct but must be changed (403). The page then has a third field,
    /// `new_password`.
    PasswordChangeRequired,
    /// The new password is not acceptable (422). The page has the field `new_password`.
    WeakPassword,
    /// Too many failed attempts, or too many requests (429).
    Throttled {
        /// The seconds after which the next attempt is possible.
        retry_after: u64,
    },
    /// Temporarily unavailable (503).
    Unavailable,
    /// The session expired or ended.
    Expired,
    /// An invited person chose a password: with it they log in on their tills, and sign in here if
    /// they have a role in the back office.
    PasswordSaved,
}

impl SignInNotice {
    fn text(self, language: PageLanguage) -> String {
        match self {
            Self::Mismatch => language.text("auth.mismatch").to_owned(),
            Self::NoRole => language.text("auth.no_role").to_owned(),
            Self::PasswordChangeRequired => language.text("auth.password_change_required").to_owned(),
            Self::WeakPassword => language.text("auth.weak_password").to_owned(),
            Self::Throttled { retry_after } => {
                language.text_with("auth.throttled", "seconds", &retry_after.to_string())
            }
            Self::Unavailable => language.text("auth.unavailable").to_owned(),
            Self::Expired => language.text("auth.expired").to_owned(),
            Self::PasswordSaved => language.text("auth.password_saved").to_owned(),
        }
    }

    fn asks_new_password(self) -> bool {
        matches!(self, Self::PasswordChangeRequired | Self::WeakPassword)
    }
}

/// The sign-in form. It posts `login`, `password`, `next` and sometimes `new_password` to
/// `<prefix>/sign-in`.
#[derive(Clone, Copy, Debug)]
pub struct SignInPage<'a> {
    /// Language of the page.
    pub language: PageLanguage,
    /// Prefix of the back office, such as `/office`.
    pub prefix: &'a str,
    /// Display name of the tenant, if known.
    pub tenant: Option<&'a str>,
    /// The path to continue at, already checked to be one of the back office.
    pub next: &'a str,
    /// What was entered as login before.
    pub login: &'a str,
    /// Why the page is shown again.
    pub notice: Option<SignInNotice>,
}

/// Why the page of an invitation is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationNotice {
    /// The token is unknown, used or expired (422).
    Invalid,
    /// The password is not acceptable (422).
    WeakPassword,
    /// Temporarily unavailable (503).
    Unavailable,
}

impl InvitationNotice {
    const fn key(self) -> &'static str {
        match self {
            Self::Invalid => "auth.invitation.invalid",
            Self::WeakPassword => "auth.weak_password",
            Self::Unavailable => "auth.unavailable",
        }
    }
}

/// The form at which an invited user chooses a password. It posts `token` and `new_password` to
/// `<prefix>/invitation`. A script enters the token that the address has as its fragment.
#[derive(Clone, Copy, Debug)]
pub struct InvitationPage<'a> {
    /// Language of the page.
    pub language: PageLanguage,
    /// Prefix of the back office, such as `/office`.
    pub prefix: &'a str,
    /// The token that was entered before.
    pub token: &'a str,
    /// Why the page is shown again.
    pub notice: Option<InvitationNotice>,
}

/// The page after signing out.
#[derive(Clone, Copy, Debug)]
pub struct SignedOutPage<'a> {
    /// Language of the page.
    pub language: PageLanguage,
    /// Prefix of the back office, such as `/office`.
    pub prefix: &'a str,
}

/// What prevents a page from being shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageError {
    /// There is no such page (404).
    NotFound,
    /// The request came from a page of another origin (403).
    ForeignOrigin,
    /// Signing in requires TLS, because the browser drops secure cookies on plain HTTP (403).
    PlainHttp,
    /// Too many requests (429).
    Throttled,
    /// Temporarily unavailable (503).
    Unavailable,
    /// The first administrator exists already (404).
    AlreadySetUp,
    /// Any other error, in the request or in the server.
    Other,
}

impl PageError {
    const fn key(self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => ("auth.error.not_found", "auth.error.not_found.text"),
            Self::ForeignOrigin => ("auth.error.foreign_origin", "auth.error.foreign_origin.text"),
            Self::PlainHttp => ("auth.error.plain_http", "auth.error.plain_http.text"),
            Self::Throttled => ("auth.error.throttled", "auth.error.throttled.text"),
            Self::Unavailable => ("auth.error.unavailable", "auth.error.unavailable.text"),
            Self::AlreadySetUp => ("auth.error.set_up", "auth.error.set_up.text"),
            Self::Other => ("auth.error.other", "auth.error.other.text"),
        }
    }
}

/// A page that reports an error.
#[derive(Clone, Copy, Debug)]
pub struct ErrorPage<'a> {
    /// Language of the page.
    pub language: PageLanguage,
    /// Prefix of the back office, such as `/office`.
    pub prefix: &'a str,
    /// What went wrong.
    pub error: PageError,
    /// The trace id of the request, for the server's log.
    pub trace_id: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInTemplate<'a> {
    language: PageLanguage,
    assets: String,
    page: &'a SignInPage<'a>,
    notice: Option<String>,
    is_success: bool,
    asks_new_password: bool,
    /// What the links to the other languages keep of the query.
    query: String,
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationTemplate<'a> {
    language: PageLanguage,
    assets: String,
    page: &'a InvitationPage<'a>,
    notice: Option<&'a str>,
    query: &'static str,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutTemplate<'a> {
    language: PageLanguage,
    assets: String,
    prefix: &'a str,
    query: &'static str,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorTemplate<'a> {
    language: PageLanguage,
    assets: String,
    prefix: &'a str,
    title: &'a str,
    text: &'a str,
    trace_id: Option<&'a str>,
    is_plain_http: bool,
}

impl SignInPage<'_> {
    /// Renders the page as HTML.
    pub fn render(&self) -> String {
        let Self { language, prefix, notice, .. } = *self;
        render(&SignInTemplate {
            language,
            assets: assets_path(prefix),
            page: self,
            notice: notice.map(|notice| notice.text(language)),
            is_success: notice == Some(SignInNotice::PasswordSaved),
            asks_new_password: notice.is_some_and(SignInNotice::asks_new_password),
            query: format!("&next={}", encode_query(self.next)),
        })
    }
}

impl InvitationPage<'_> {
    /// Renders the page as HTML.
    pub fn render(&self) -> String {
        let Self { language, prefix, notice, .. } = *self;
        let notice = notice.map(|notice| language.text(notice.key()));
        render(&InvitationTemplate { language, assets: assets_path(prefix), page: self, notice, query: "" })
    }
}

impl SignedOutPage<'_> {
    /// Renders the page as HTML.
    pub fn render(&self) -> String {
        let Self { language, prefix } = *self;
        render(&SignedOutTemplate { language, assets: assets_path(prefix), prefix, query: "" })
    }
}

impl ErrorPage<'_> {
    /// Renders the page as HTML.
    pub fn render(&self) -> String {
        let Self { language, prefix, error, trace_id } = *self;
        let (title, text) = error.key();
        let is_plain_http = error == PageError::PlainHttp;
        render(&ErrorTemplate {
            language,
            assets: assets_path(prefix),
            prefix,
            title: language.text(title),
            text: language.text(text),
            trace_id,
            is_plain_http,
        })
    }
}

fn assets_path(prefix: &str) -> String {
    format!("{prefix}/a/{}", digest())
}

/// Encodes a value for the query of an address (RFC 3986, 2.1): all but the unreserved characters.
fn encode_query(value: &str) -> String {
    value.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // a string accepts every write
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

fn render(template: &impl Template) -> String {
    // a string accepts every write
    template.render().unwrap_or_default()
}

#[cfg(test)]
mod tests;
