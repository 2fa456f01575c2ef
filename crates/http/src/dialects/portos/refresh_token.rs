//! Refresh tokens as PORTOS writes them: standard base64 with padding, around the same bytes as everywhere.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tillgate_domain::Secret;

/// The engine's token as PORTOS writes it; `None` for what is not base64url.
pub(super) fn encode_refresh_token(token: &str) -> Option<Secret<String>> {
    URL_SAFE_NO_PAD.decode(token).ok().map(|bytes| Secret::new(STANDARD.encode(bytes)))
}

/// The engine's token from PORTOS' writing; `None` for what is not standard base64 with its padding.
pub(super) fn decode_refresh_token(token: &str) -> Option<Secret<String>> {
    STANDARD.decode(token.trim_ascii()).ok().map(|bytes| Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_token_round_trips_with_every_padding() {
        for bytes in [&[0xFB_u8, 0xFF, 0xFE][..], &[0xFB, 0xFF], &[0xFB], &[]] {
            let engine = URL_SAFE_NO_PAD.encode(bytes);
            let wrapped = encode_refresh_token(&engine).unwrap();
            assert_eq!(wrapped.expose().len() % 4, 0);
            assert_eq!(decode_refresh_token(wrapped.expose()).unwrap().expose(), &engine);
        }
    }

    #[test]
    fn nonstandard_base64_is_no_refresh_token() {
        for bad in ["-_8=", "+/8", "a b=", "*", "+/9="] {
            assert!(decode_refresh_token(bad).is_none(), "{bad}");
        }
    }
}
