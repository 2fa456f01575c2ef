//! The two languages that PORTOS answers in, and which of them a request prefers.

mod accept_language;

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

use crate::request::head::RequestHead;

/// A language of PORTOS responses.
#[derive(Clone, Copy)]
pub(super) enum Language {
    Slovak,
    English,
}

impl Language {
    /// Returns the language that the request prefers; Slovak if it prefers neither.
    pub(super) fn from_head(head: &RequestHead) -> Self {
        Self::from_headers(head.headers())
    }

    /// Returns the language that these request headers prefer.
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(ACCEPT_LANGUAGE).filter_map(|line| line.to_str().ok());
        if accept_language::is_preferred(lines, "en", "sk") { Self::English } else { Self::Slovak }
    }

    /// The language tag (RFC 9110, 8.5).
    pub(super) const fn tag(self) -> &'static str {
        self.pick("sk-SK", "en-GB")
    }

    /// The text in this language.
    pub(super) const fn pick<'t>(self, slovak: &'t str, english: &'t str) -> &'t str {
        match self {
            Self::Slovak => slovak,
            Self::English => english,
        }
    }
}
