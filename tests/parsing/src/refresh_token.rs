//! Refresh tokens.

use tillgate_auth_core::token::refresh_token::UnverifiedRefreshToken;
use tillgate_auth_core::{AuthDenied, Error, GrantKind, TokenDenied};

use crate::minted_tokens::MintedTokens;

/// A refresh token that is parsed is serialized to the same text. An accepted one was issued by the
/// server. Every other input is rejected as invalid and ends no session.
pub fn refresh_token(input: &[u8]) {
    let minted = MintedTokens::shared();
    let token = match input.strip_prefix(b"minted") {
        Some(rest) => format!("{}{}", minted.refresh, String::from_utf8_lossy(rest)),
        None => minted.build_token(input, &minted.refresh),
    };
    if let Some(read) = UnverifiedRefreshToken::parse(&token) {
        assert_eq!(*read.encode().expose(), token, "two texts for one token");
    }
    match minted.refresh_with(&token, None) {
        Ok(granted) => {
            assert_eq!(token, minted.refresh, "accepted, but never minted");
            assert_eq!((granted.session.id, granted.kind), (minted.session, GrantKind::Repeated));
            assert_eq!(*granted.refresh_token.unwrap().expose(), token);
        }
        Err(Error::Denied(AuthDenied::Token(TokenDenied::Invalid))) => {
            assert_ne!(token, minted.refresh, "minted, but refused");
        }
        Err(other) => panic!("an invalid token is reported as {other:?}"),
    }
}
