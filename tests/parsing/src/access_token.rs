//! Access tokens: in the `Authorization` header, and beside a refresh token.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tillgate_auth_core::{AuthDenied, Error};

use crate::minted_tokens::MintedTokens;

/// An accepted access token was issued exactly as it is. Beside a refresh token, only an access
/// token of the same session is accepted. No input causes a server error.
pub fn access_token(input: &[u8]) {
    let minted = MintedTokens::shared();
    let token = minted.build_token(input, &minted.access);
    match minted.authenticate(&token) {
        Ok(session) => {
            assert_eq!(token, minted.access, "accepted, but never minted");
            assert_eq!(session, minted.session);
        }
        Err(Error::Denied(AuthDenied::Token(_))) => assert_ne!(token, minted.access, "minted, but refused"),
        Err(other) => panic!("the error of the caller is reported as {other:?}"),
    }
    match minted.refresh_with(&minted.refresh, Some(&token)) {
        Ok(granted) => {
            assert_eq!(granted.session.id, minted.session);
            assert_eq!(
                session_id_claim(&token).as_deref(),
                Some(minted.session.to_string().as_str()),
                "it names another session"
            );
        }
        Err(Error::Denied(AuthDenied::Token(_))) => assert_ne!(token, minted.access, "minted, but refused"),
        Err(other) => panic!("the error of the caller is reported as {other:?}"),
    }
}

/// The session id in a token, read independently of the server's code.
fn session_id_claim(token: &str) -> Option<String> {
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    // an id has several spellings
    claims["sid"].as_str()?.parse::<tillgate_domain::SessionId>().ok().map(|id| id.to_string())
}
