//! `Accept-Language`, by which PORTOS chooses between two languages.

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderValue};
use tillgate_http::Portos;

/// The response is in one of two languages, and in English only if the header names English or any
/// language, or rejects Slovak. The case of letters, whitespace, the division into lines, and
/// languages that do not exist make no difference. A client that rejects one language and requests
/// the other gets the other. The input is the lines of the header.
pub fn accept_language(input: &[u8]) {
    let lines: Vec<&str> =
        input.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let language = negotiate(lines.iter().copied());
    assert!(language == "sk-SK" || language == "en-GB", "{language}");
    assert_eq!(negotiate(lines.iter().copied()), language, "read twice");

    // a server does not receive a line that is no valid header value
    let lines: Vec<&str> = lines.into_iter().filter(|line| is_valid_line(line)).collect();
    let whole = lines.join(",");
    if language == "en-GB" {
        let small = whole.to_ascii_lowercase();
        assert!(["en", "*", "sk"].iter().any(|name| small.contains(name)), "nobody asked for English: {whole}");
    }
    assert_eq!(negotiate(std::iter::once(&*whole)), language, "in one line");
    assert_eq!(negotiate(whole.split(',')), language, "a range a line");
    assert_eq!(negotiate(std::iter::once(&*whole.to_ascii_uppercase())), language, "in capitals");
    assert_eq!(negotiate(std::iter::once(&*whole.replace(',', " ,\t"))), language, "with blanks");
    assert_eq!(negotiate([&whole, "xx;q=1", "xx;q=0"].into_iter()), language, "another language");
    // a client that rejects one language and requests the other gets the other
    for (one, other, tag) in [("en", "sk", "sk-SK"), ("sk", "en", "en-GB")] {
        if !whole.to_ascii_lowercase().contains(one) {
            let refusing = [&*whole, &format!("{one};q=0,{other}")];
            assert_eq!(negotiate(refusing.into_iter()), tag, "{one} is refused: {whole}");
        }
    }
}

fn is_valid_line(line: &str) -> bool {
    HeaderValue::from_str(line).is_ok_and(|value| value.to_str().is_ok())
}

fn negotiate<'l>(lines: impl Iterator<Item = &'l str>) -> &'static str {
    let mut headers = HeaderMap::new();
    for line in lines {
        if let Ok(value) = HeaderValue::from_str(line) {
            headers.append(ACCEPT_LANGUAGE, value);
        }
    }
    Portos::read_language(&headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the corpus would test one language only.
    #[test]
    fn corpus_covers_both_languages() {
        for (kept, expected) in [
            (&include_bytes!("../../../fuzz/corpus/accept_language/browser")[..], "sk-SK"),
            (include_bytes!("../../../fuzz/corpus/accept_language/english"), "en-GB"),
            (include_bytes!("../../../fuzz/corpus/accept_language/refused"), "en-GB"),
        ] {
            let lines = std::str::from_utf8(kept).unwrap();
            assert_eq!(negotiate(lines.split('\n')), expected, "{lines}");
        }
    }
}
