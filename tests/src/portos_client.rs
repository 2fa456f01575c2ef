//! A PORTOS program that signs its requests (NWS4-HMAC-SHA256). It is written from the published
//! description alone and shares no code with the server, so that both make the same error only if
//! the description does.

use ring::{digest, hmac};

/// An API key as a program stores it.
#[derive(Clone, Debug)]
pub struct PortosKey {
    /// The client id, which is public.
    pub client: String,
    /// The client secret.
    pub secret: String,
}

/// A request to be signed.
#[derive(Clone, Debug)]
pub struct UnsignedRequest<'r> {
    /// The HTTP method.
    pub method: &'r str,
    /// Path and query as they are sent.
    pub target: &'r str,
    /// The host name by which the program addresses the server.
    pub host: &'r str,
    /// Additional signed headers, in the order in which they are sent.
    pub headers: &'r [(&'r str, &'r str)],
    /// The request body.
    pub body: &'r [u8],
    /// The time of signing, in milliseconds since 1970.
    pub sent_at: i64,
}

impl PortosKey {
    /// The headers to send in addition to `Host` and the request's own.
    pub fn sign(&self, request: &UnsignedRequest<'_>) -> Vec<(&'static str, String)> {
        let stamp = format_timestamp(request.sent_at);
        let content = hex(digest::digest(&digest::SHA256, request.body).as_ref());
        let mut headers: Vec<(String, String)> = vec![
            ("host".into(), request.host.into()),
            ("x-nd-date".into(), stamp.clone()),
            ("x-nd-content-sha256".into(), content.clone()),
        ];
        for (name, value) in request.headers {
            let name = name.to_lowercase();
            match headers.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => *values = format!("{values},{value}"),
                None => headers.push((name, (*value).to_owned())),
            }
        }
        let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
        let mut pairs = Vec::new();
        if !query.is_empty() {
            for pair in query.split('&') {
                let parts: Vec<&str> = pair.split('=').collect();
                pairs.push((parts[0], parts.get(1).copied().unwrap_or("")));
            }
        }
        // Rust's sort is stable
        pairs.sort_by(|one, other| one.0.as_bytes().cmp(other.0.as_bytes()));
        let query: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{}={}", percent_encode(name, ""), percent_encode(value, "")))
            .collect();
        headers.sort();
        let lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}:{}", value.split_whitespace().collect::<Vec<_>>().join(" ")))
            .collect();
        let mut names: Vec<String> = headers.iter().map(|(name, _)| name.to_uppercase()).collect();
        names.sort();
        let names = names.join(";").to_lowercase();
        let canonical = [
            request.method.to_owned(),
            percent_encode(path, "/:"),
            query.join("&"),
            lines.join("\n"),
            names.clone(),
            content.clone(),
        ]
        .join("\n");
        let digest = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let text = format!("NWS4-HMAC-SHA256\n{stamp}\n{}\n{digest}", self.client);
        let signing = hmac_sha256(format!("NWS4{}", self.secret).as_bytes(), &stamp[..10]);
        let signature = hex(&hmac_sha256(&signing, &text));
        let claim = format!(
            "Credential={},SignedHeaders={},Timestamp={},Signature={signature}",
            self.client,
            percent_encode(&names, ""),
            percent_encode(&stamp, "")
        );
        vec![
            ("Authorization", format!("NWS4-HMAC-SHA256 {}", percent_encode(&claim, ""))),
            ("x-nd-date", stamp),
            ("x-nd-content-sha256", content),
        ]
    }
}

fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Percent-encodes everything except letters, digits, `-_.~` and the characters of `also`.
fn percent_encode(text: &str, also: &str) -> String {
    let plain = |byte: &u8| {
        matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~')
            || also.as_bytes().contains(byte)
    };
    let one = |byte: u8| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}

/// Formats an instant as `yyyy-MM-ddTHH:mm:ss.fffZ`.
fn format_timestamp(at: i64) -> String {
    let (days, millis) = (at.div_euclid(86_400_000), at.rem_euclid(86_400_000));
    let (mut year, mut day) = (1970, days);
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while day >= 365 + i64::from(leap(year)) {
        day -= 365 + i64::from(leap(year));
        year += 1;
    }
    let months = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in months {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z", day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This program signs the published test vectors as published.
    #[test]
    fn signatures_match_the_published_vectors() {
        let key = PortosKey {
            client: "d948ec22e47790caacce234b792a0f117d85c365".into(),
            secret: "5070adfb2bedf1c0c97d5c8cfa8c794d513249b802ea10596a175d88828abc19".into(),
        };
        let request = UnsignedRequest {
            method: "POST",
            target: "/api/user?i=1$ref=1&validate",
            host: "example.com:8080",
            headers: &[("Content-Type", "application/json"), ("Accept", "application/json")],
            body: br#"{"name":"John"}"#,
            sent_at: 1_685_452_621_992,
        };
        let sent = key.sign(&request);
        assert!(sent[0].1.ends_with("87c7a2057285f0db8dc3b7c95c15fe5476f5ab44b73b3e15990d8b1a837d4ddb"), "{sent:?}");
        let key = PortosKey {
            client: "8248d4058e36840bea23ebbe3e602f6e".into(),
            secret: "388e98f5c56728266991583a6f8fcd1b9279cdc00b5c371bffc0ea402b14d954".into(),
        };
        let request = UnsignedRequest {
            method: "GET",
            target: "/api/v1/registrations/receipts/processable/first?cashRegisterCode=88812345678900001",
            host: "localhost:5000",
            headers: &[("__tenant", "39fd0386-1c7b-5fb0-201f-36725cbfcacc")],
            body: b"",
            sent_at: 1_624_549_677_213,
        };
        let sent = key.sign(&request);
        assert_eq!(sent[1].1, "2021-06-24T15:47:57.213Z");
        assert!(sent[0].1.ends_with("510cfbf80d0f27e78a51a0e06407cdc6f01e2758dd6aea655fb64387cf252e6f"), "{sent:?}");
    }
}
