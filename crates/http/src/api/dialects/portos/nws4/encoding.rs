//! Text encodings of NWS4-HMAC-SHA256: percent-encoding with a fixed set of unencoded characters,
//! and hexadecimal digits.

use std::fmt::Write as _;

/// Percent-encodes all bytes except letters, digits, `-_.~` and `plain`. Text that is already
/// encoded is encoded a second time.
pub(super) fn percent_encode(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // writing to a String cannot fail
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Removes one layer of percent-encoding, with hexadecimal digits of either case. `None` if the
/// result is not UTF-8 or a percent sign does not start an encoded byte.
pub(in crate::api::dialects::portos) fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'%' { decode_hex_pair(bytes.next()?, bytes.next()?)? } else { byte });
    }
    String::from_utf8(out).ok()
}

/// Encodes bytes as lower-case hexadecimal digits.
pub(super) fn encode_hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Decodes 32 bytes from hexadecimal digits of either case.
pub(super) fn decode_hex(text: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| decode_hex_pair(*high, *low)).collect::<Option<_>>()?;
    bytes.try_into().ok().filter(|_| rest.is_empty())
}

fn decode_hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_round_trips() {
        for text in ["", "plain-._~09azAZ", "a b+c%2Fd", "predajňa", "%", "a=b&c"] {
            assert_eq!(percent_decode(&percent_encode(text, b"")).as_deref(), Some(text));
        }
    }

    #[test]
    fn unreserved_characters_follow_the_contract() {
        assert_eq!(percent_encode("/a:b", b"/:"), "/a:b");
        assert_eq!(percent_encode("/a:b", b""), "%2Fa%3Ab");
        assert_eq!(percent_encode("ň*!'()", b"/:"), "%C5%88%2A%21%27%28%29");
    }

    #[test]
    fn hex_decodes_in_either_case_and_rejects_half_a_pair() {
        assert_eq!(percent_decode("%3d%3D%c5%88").as_deref(), Some("==ň"));
        for bad in ["%", "%3", "%3g", "%+1", "%-1", "%ff", "a%"] {
            assert_eq!(percent_decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn digest_is_32_bytes_of_hex() {
        let bytes = std::array::from_fn(|at| u8::try_from(at * 8 % 256).unwrap());
        let text = encode_hex(&bytes);
        assert_eq!(decode_hex(&text), Some(bytes));
        assert_eq!(decode_hex(&text.to_uppercase()), Some(bytes));
        assert_eq!(decode_hex(&text[1..]), None);
        assert_eq!(decode_hex(&text[2..]), None);
        assert_eq!(decode_hex(&format!("{text}0")), None);
        assert_eq!(decode_hex(&format!("{}+1", &text[2..])), None);
        assert_eq!(decode_hex(""), None);
    }
}
