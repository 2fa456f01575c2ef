//! PORTOS' encoding of refresh tokens: standard base64 with padding, of the same bytes as in all
//! other contracts.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tillgate_domain::Secret;

/// Encodes the engine's token for PORTOS; `None` if it is not base64url.
pub(super) fn encode_refresh_token(token: &str) -> Option<Secret<String>> {
    URL_SAFE_NO_PAD.decode(token).ok().map(|bytes| Secret::new(STANDARD.encode(bytes)))
}

/// Decodes a token of PORTOS to the engine's encoding; `None` if it is not standard base64 with
/// padding.
pub(super) fn decode_refresh_token(token: &str) -> Option<Secret<String>> {
    STANDARD.decode(token.trim_ascii()).ok().map(|bytes| Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_token_round_trips_with_every_padding() {
        for bytes in [&[0xFB_u8, 0xFF, 0xFE][..], &[0xFB, 0xFF], &[0xFB], &[]] {
            let auth = URL_SAFE_NO_PAD.encode(bytes);
            let wrapped = encode_refresh_token(&auth).unwrap();
            assert_eq!(wrapped.expose().len() % 4, 0);
            assert_eq!(decode_refresh_token(wrapped.expose()).unwrap().expose(), &auth);
        }
    }

    #[test]
    fn nonstandard_base64_is_no_refresh_token() {
        for bad in ["-_8=", "+/8", "a b=", "*", "+/9="] {
            assert!(decode_refresh_token(bad).is_none(), "{bad}");
        }
    }
}
