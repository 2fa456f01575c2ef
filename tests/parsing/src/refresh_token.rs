//! Refresh tokens.

use tillgate_auth_core::token::refresh::UnverifiedRefreshToken;
use tillgate_auth_core::{AuthDenied, Error, GrantKind, TokenDenied};

use crate::minted_tokens::MintedTokens;

/// A refresh token that is read is written again to the letter; one that is accepted was minted, and whatever else comes is refused as
/// invalid: it ends no session.
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
        Err(other) => panic!("what is no token of ours told as {other:?}"),
    }
}
