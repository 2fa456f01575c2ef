//! Percent-encoding (RFC 3986, 2.1).

use std::fmt::Write as _;

use tillgate_domain::hex;

/// Whether the byte is an unreserved character (RFC 3986, 2.3), which needs no encoding anywhere.
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Encodes every byte that `keep` does not accept, with upper-case digits. Text that is already
/// encoded is encoded a second time unless `keep` accepts the percent sign.
pub(crate) fn encode(text: &str, keep: impl Fn(u8) -> bool) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if keep(byte) {
            encoded.push(char::from(byte));
        } else {
            push_encoded(&mut encoded, byte);
        }
        encoded
    })
}

/// Appends a byte in its encoded form.
pub(crate) fn push_encoded(text: &mut String, byte: u8) {
    // writing to a String cannot fail
    let _ = write!(text, "%{byte:02X}");
}

/// Removes one layer of encoding, with hexadecimal digits of either case. `None` if the result is
/// not UTF-8 or a percent sign does not start an encoded byte.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' { hex::decode_pair(bytes.next()?, bytes.next()?)? } else { byte });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_round_trips() {
        for text in ["", "plain-._~09azAZ", "a b+c%2Fd", "predajňa", "%", "a=b&c"] {
            assert_eq!(decode(&encode(text, is_unreserved)).as_deref(), Some(text));
        }
    }

    #[test]
    fn every_byte_is_encoded_unless_it_is_kept() {
        assert_eq!(encode("/a:b~", is_unreserved), "%2Fa%3Ab~");
        assert_eq!(encode("/a:b", |byte| is_unreserved(byte) || byte == b'/'), "/a%3Ab");
        assert_eq!(encode("ň*!'()", is_unreserved), "%C5%88%2A%21%27%28%29");
    }

    #[test]
    fn either_case_decodes_and_half_a_pair_does_not() {
        assert_eq!(decode("%3d%3D%c5%88").as_deref(), Some("==ň"));
        for bad in ["%", "%3", "%3g", "%+1", "%-1", "%ff", "a%"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
