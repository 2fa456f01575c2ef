//! Hexadecimal digits, two for each byte.

use std::fmt::Write as _;

/// Encodes bytes as lower-case digits.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Decodes digits of either case. `None` if the text has any other character or half a pair.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| decode_pair(*high, *low)).collect()
}

/// Decodes the byte of two digits of either case. `None` if one of them is no digit.
pub fn decode_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_in_either_case() {
        assert_eq!(encode(&[0, 15, 16, 171, 255]), "000f10abff");
        for text in ["000f10abff", "000F10ABFF"] {
            assert_eq!(decode(text), Some(vec![0, 15, 16, 171, 255]));
        }
        assert_eq!(decode(""), Some(Vec::new()));
    }

    #[test]
    fn text_of_other_characters_or_half_a_pair_is_not_hex() {
        for bad in ["0", "000", "0g", "é", "+1", "-1", " 1", "1 "] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
