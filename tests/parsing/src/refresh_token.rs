//! Refresh tokens.

use tillgate_auth_core::token::refresh::Unproven;
use tillgate_auth_core::{Error, How, Refusal, TokenRefusal};

use crate::minted::Minted;

/// A refresh token that is read is written again to the letter; one that is accepted was minted, and whatever else comes is refused as
/// invalid: it ends no session.
pub fn refresh_token(input: &[u8]) {
    let minted = Minted::here();
    let token = match input.strip_prefix(b"minted") {
        Some(rest) => format!("{}{}", minted.refresh, String::from_utf8_lossy(rest)),
        None => minted.described(input, &minted.refresh),
    };
    if let Some(read) = Unproven::read(&token) {
        assert_eq!(*read.write().expose(), token, "two texts for one token");
    }
    match minted.renewed(&token, None) {
        Ok(granted) => {
            assert_eq!(token, minted.refresh, "accepted, but never minted");
            assert_eq!((granted.session.id, granted.how), (minted.session, How::Repeated));
            assert_eq!(*granted.refresh_token.unwrap().expose(), token);
        }
        Err(Error::Refused(Refusal::Token(TokenRefusal::Invalid))) => {
            assert_ne!(token, minted.refresh, "minted, but refused");
        }
        Err(other) => panic!("what is no token of ours told as {other:?}"),
    }
}
