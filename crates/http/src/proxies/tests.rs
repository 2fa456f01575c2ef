use actix_web::http::header::{HeaderName, HeaderValue};

use super::*;

const TRUSTED: &[&str] = &["127.0.0.1/32", "10.0.0.0/8", "2001:db8:1::/48"];

/// Resolves the client with the kind of the first header.
fn resolve(peer: &str, headers: &[(&str, &str)]) -> (String, Option<&'static str>, Option<String>) {
    let kind = match headers.first() {
        Some(("Forwarded", _)) => ProxyHeaders::Forwarded,
        _ => ProxyHeaders::XForwarded,
    };
    resolve_with(kind, peer, headers)
}

fn resolve_with(
    kind: ProxyHeaders,
    peer: &str,
    headers: &[(&str, &str)],
) -> (String, Option<&'static str>, Option<String>) {
    let trusted: Vec<IpNet> = TRUSTED.iter().map(|net| net.parse().unwrap()).collect();
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let behind = resolve_client(&trusted, kind, Some(peer.parse().unwrap()), &map);
    (behind.address.unwrap().to_string(), behind.scheme, behind.host)
}

#[test]
fn client_address_is_rightmost_untrusted() {
    const XFF: &str = "X-Forwarded-For";
    for (peer, headers, address) in [
        ("203.0.113.9", vec![], "203.0.113.9"),
        ("203.0.113.9", vec![(XFF, "198.51.100.1")], "203.0.113.9"),
        ("203.0.113.9", vec![("Forwarded", "for=198.51.100.1")], "203.0.113.9"),
        ("127.0.0.1", vec![], "127.0.0.1"),
        ("127.0.0.1", vec![(XFF, "198.51.100.1")], "198.51.100.1"),
        ("127.0.0.1", vec![(XFF, "1.1.1.1, 198.51.100.1")], "198.51.100.1"),
        ("127.0.0.1", vec![(XFF, "1.1.1.1, 198.51.100.1, 10.1.2.3")], "198.51.100.1"),
        ("127.0.0.1", vec![(XFF, "1.1.1.1"), (XFF, "198.51.100.1"), (XFF, "10.1.2.3")], "198.51.100.1"),
        ("127.0.0.1", vec![(XFF, "10.9.9.9, 10.1.2.3")], "10.9.9.9"),
        ("127.0.0.1", vec![(XFF, "198.51.100.1, unknown, 10.1.2.3")], "10.1.2.3"),
        ("127.0.0.1", vec![(XFF, "garbage")], "127.0.0.1"),
        ("127.0.0.1", vec![(XFF, "198.51.100.1:4711")], "198.51.100.1"),
        ("127.0.0.1", vec![(XFF, "\"198.51.100.1:4711\"")], "198.51.100.1"),
        ("127.0.0.1", vec![(XFF, "198.51.100.1:x")], "127.0.0.1"),
        ("127.0.0.1", vec![(XFF, "[2001:db8:2::7]x")], "127.0.0.1"),
        ("127.0.0.1", vec![(XFF, "2001:db8:2::7")], "2001:db8:2::7"),
        ("127.0.0.1", vec![(XFF, "[2001:db8:2::7]:443")], "2001:db8:2::7"),
        ("2001:db8:1::1", vec![(XFF, "198.51.100.1")], "198.51.100.1"),
        ("::ffff:127.0.0.1", vec![(XFF, "::ffff:198.51.100.1")], "198.51.100.1"),
        ("::ffff:203.0.113.9", vec![(XFF, "198.51.100.1")], "203.0.113.9"),
        ("127.0.0.1", vec![("Forwarded", "for=198.51.100.1")], "198.51.100.1"),
        ("127.0.0.1", vec![("Forwarded", "for=1.1.1.1, For=\"[2001:db8:2::7]:4711\";proto=https")], "2001:db8:2::7"),
        ("127.0.0.1", vec![("Forwarded", "for=198.51.100.1;by=10.0.0.1, for=10.0.0.1")], "198.51.100.1"),
        ("127.0.0.1", vec![("Forwarded", "for=_hidden, for=10.0.0.1")], "10.0.0.1"),
        // the other kind is from the client
        ("127.0.0.1", vec![("Forwarded", "for=198.51.100.1"), (XFF, "1.1.1.1")], "198.51.100.1"),
        ("127.0.0.1", vec![(XFF, "198.51.100.1"), ("Forwarded", "for=1.1.1.1")], "198.51.100.1"),
    ] {
        assert_eq!(resolve(peer, &headers).0, address, "{peer} {headers:?}");
    }
}

#[test]
fn scheme_and_host_come_from_outermost_trusted_proxy() {
    let of = |headers: &[(&str, &str)]| {
        let (_, scheme, host) = resolve("127.0.0.1", headers);
        (scheme, host)
    };
    let both = |scheme, host: &str| (Some(scheme), Some(host.to_owned()));
    assert_eq!(of(&[]), (None, None));
    assert_eq!(
        of(&[("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "pos.example:8443")]),
        both("https", "pos.example:8443")
    );
    assert_eq!(
        of(&[
            ("X-Forwarded-For", "1.1.1.1, 198.51.100.1, 10.0.0.1"),
            ("X-Forwarded-Proto", "http, https, http"),
            ("X-Forwarded-Host", "forged.example, pos.example, inner.example"),
        ]),
        both("https", "pos.example")
    );
    assert_eq!(
        of(&[(
            "Forwarded",
            "for=1.1.1.1;host=forged.example;proto=http, for=198.51.100.1;host=\"pos.example:8443\";proto=https"
        )]),
        both("https", "pos.example:8443")
    );
    assert_eq!(of(&[("X-Forwarded-Proto", "gopher"), ("X-Forwarded-Host", "a b")]), (None, None));
    let stranger = resolve("203.0.113.9", &[("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "forged.example")]);
    assert_eq!((stranger.1, stranger.2), (None, None));
}

#[test]
fn unclosed_quote_hides_nothing_a_proxy_appended() {
    for (header, sent) in [
        ("X-Forwarded-For", "\"[2001:db8::bad], 198.51.100.1"),
        ("X-Forwarded-For", "\"6.6.6.6:, 198.51.100.1"),
        ("X-Forwarded-For", "6.6.6.6, \\\", 198.51.100.1"),
    ] {
        assert_eq!(resolve("127.0.0.1", &[(header, sent)]).0, "198.51.100.1", "{sent}");
    }
    for sent in [
        "for=\"[2001:db8::bad], for=198.51.100.1",
        "for=\"6.6.6.6:, for=198.51.100.1",
        "by=\"\\\", for=6.6.6.6\\\", for=198.51.100.1",
    ] {
        assert_eq!(resolve("127.0.0.1", &[("Forwarded", sent)]).0, "127.0.0.1", "{sent}");
    }
    let kept = resolve("127.0.0.1", &[("Forwarded", "by=\"a, for=6.6.6.6 \\\" b\", for=198.51.100.1")]);
    assert_eq!(kept.0, "198.51.100.1");
}

#[test]
fn header_line_that_is_not_text_is_not_skipped() {
    let trusted: Vec<IpNet> = TRUSTED.iter().map(|net| net.parse().unwrap()).collect();
    for (header, own, address) in
        [("x-forwarded-for", "198.51.100.1", "198.51.100.1"), ("forwarded", "for=198.51.100.1", "127.0.0.1")]
    {
        let mut map = HeaderMap::new();
        let name = HeaderName::from_static(header);
        let forged = if header == "forwarded" { "for=6.6.6.6" } else { "6.6.6.6" };
        map.append(name.clone(), HeaderValue::from_static(forged));
        map.append(name, HeaderValue::from_bytes(&[b"\xff, ".as_slice(), own.as_bytes()].concat()).unwrap());
        let kind = if header == "forwarded" { ProxyHeaders::Forwarded } else { ProxyHeaders::XForwarded };
        let behind = resolve_client(&trusted, kind, Some("127.0.0.1".parse().unwrap()), &map);
        assert_eq!(behind.address.unwrap().to_string(), address, "{header}");
    }
}
