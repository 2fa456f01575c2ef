//! The published vectors, and what clients send in other ways than most.

use tillgate_domain::Secret;

use super::*;

const KEY: &str = "8248d4058e36840bea23ebbe3e602f6e";
const SECRET: &str = "388e98f5c56728266991583a6f8fcd1b9279cdc00b5c371bffc0ea402b14d954";
const AT: &str = "2021-06-24T15:47:57.213Z";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A request that owns what it is made of.
#[derive(Clone)]
struct Sent {
    method: Method,
    path: &'static str,
    query: &'static str,
    host: &'static str,
    headers: HeaderMap,
    body: &'static [u8],
}

impl Sent {
    fn received(&self) -> Received<'_> {
        Received {
            method: &self.method,
            path: self.path,
            query: self.query,
            host: self.host,
            headers: &self.headers,
            body: Some(self.body),
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.remove(HeaderName::try_from(name).unwrap());
        self
    }

    /// With this instead of what stands after the scheme.
    fn claiming(self, text: &str) -> Self {
        self.without("authorization").with("authorization", &format!("NWS4-HMAC-SHA256 {text}"))
    }

    fn read(&self) -> Result<Option<Signature>, Failure> {
        signature(&self.received())
    }

    /// The signature, which must be there.
    fn signed(&self) -> Signature {
        self.read().unwrap().unwrap()
    }

    fn refused(&self) -> bool {
        self.read() == Err(Failure::Refused(Refusal::Token(TokenRefusal::Invalid)))
    }
}

fn holds(signature: &Signature, secret: &str) -> bool {
    signature.holds(&Secret::new(secret.to_owned()))
}

fn claim(names: &str, mac: &str) -> String {
    let names = encoded(names, b"");
    encoded(&format!("Credential={KEY},SignedHeaders={names},Timestamp={},Signature={mac}", encoded(AT, b"")), b"")
}

const MAC: &str = "510cfbf80d0f27e78a51a0e06407cdc6f01e2758dd6aea655fb64387cf252e6f";
const NAMES: &str = "host;x-nd-content-sha256;x-nd-date;__tenant";

/// The second published vector.
fn receipts() -> Sent {
    Sent {
        method: Method::GET,
        path: "/api/v1/registrations/receipts/processable/first",
        query: "cashRegisterCode=88812345678900001",
        host: "localhost:5000",
        headers: HeaderMap::new(),
        body: b"",
    }
    .with("__tenant", "39fd0386-1c7b-5fb0-201f-36725cbfcacc")
    .with("x-nd-date", AT)
    .with("x-nd-content-sha256", EMPTY)
    .claiming(&claim(NAMES, MAC))
}

#[test]
fn the_first_published_vector_holds() {
    let secret = "5070adfb2bedf1c0c97d5c8cfa8c794d513249b802ea10596a175d88828abc19";
    let at = "2023-05-30T13:17:01.992Z";
    let text = "Credential%3Dd948ec22e47790caacce234b792a0f117d85c365%2CSignedHeaders%3Daccept%253Bcontent-type%253Bhost\
        %253Bx-nd-content-sha256%253Bx-nd-date%2CTimestamp%3D2023-05-30T13%253A17%253A01.992Z%2CSignature%3D\
        87c7a2057285f0db8dc3b7c95c15fe5476f5ab44b73b3e15990d8b1a837d4ddb";
    let sent = Sent {
        method: Method::POST,
        path: "/api/user",
        query: "i=1$ref=1&validate",
        host: "example.com:8080",
        headers: HeaderMap::new(),
        body: br#"{"name":"John"}"#,
    }
    .with("content-type", "application/json")
    .with("accept", "application/json")
    .with("x-nd-date", at)
    .with("x-nd-content-sha256", &hex(&sha256(br#"{"name":"John"}"#)))
    .claiming(text);
    let signature = sent.signed();
    let request = "669ed6079db48d817f5c2992f21dbbb9e2211e98db4c225facb17fe40511c148";
    assert_eq!(query(sent.query), "i=1%24ref&validate=");
    assert_eq!(
        signature.message,
        format!("NWS4-HMAC-SHA256\n{at}\nd948ec22e47790caacce234b792a0f117d85c365\n{request}")
    );
    assert_eq!((signature.scope.as_str(), instants::text(signature.at).as_str()), ("2023-05-30", at));
    assert!(holds(&signature, secret));
    assert!(!holds(&signature, SECRET));
}

#[test]
fn the_second_published_vector_holds() {
    let signature = receipts().signed();
    assert_eq!(signature.client, KEY);
    assert!(holds(&signature, SECRET));
}

/// Another published client signs `POST /api/v1/registrations/receipts` with a tenant, and publishes what it sends.
#[test]
fn what_a_published_client_sends_in_lower_case_hex_holds() {
    let body = b"{\n    \"Key\": \"Value\"\n}";
    let sent = Sent {
        method: Method::POST,
        path: "/api/v1/registrations/receipts",
        query: "",
        host: "ekasa-cloud-int.ninedigit.sk",
        headers: HeaderMap::new(),
        body,
    }
    .with("__tenant", "39ff67bf-0182-4903-c820-2dd75eed9d21")
    .with("x-nd-date", "2022-02-07T10:47:53.026Z")
    .with("x-nd-content-sha256", &hex(&sha256(body)))
    .claiming(
        "Credential%3dd51fbd43e205b16a806ca2399c7023b8%2cSignedHeaders%3dhost%253bx-nd-content-sha256%253bx-nd-date\
         %253b__tenant%2cTimestamp%3d2022-02-07T10%253a47%253a53.026Z%2cSignature%3d\
         6a130431fc7fe63f42821426028af06ba73bbdbb5e1a65e4d54249877603bcfe",
    );
    assert!(holds(&sent.signed(), "1adaee8c378449453dcf40625d20d6b65b02f51aa28191df874296c1f13c8243"));
}

#[test]
fn the_header_may_be_written_in_other_ways() {
    let lower = claim(NAMES, MAC).replace("%2C", "%2c").replace("%3D", "%3d").replace("%253B", "%253b");
    for text in [
        lower,
        claim("x-nd-date;__tenant;HOST;X-Nd-Content-Sha256", MAC),
        claim(NAMES, &MAC.to_uppercase()),
        encoded(&format!("Signature={MAC},Timestamp={AT},SignedHeaders={NAMES},Credential={KEY}"), b""),
        format!("Credential={KEY},SignedHeaders={NAMES},Timestamp={AT},Signature={MAC}"),
    ] {
        assert!(holds(&receipts().claiming(&text).signed(), SECRET), "{text}");
    }
    let scheme =
        receipts().without("authorization").with("authorization", &format!("nws4-hmac-sha256  {}", claim(NAMES, MAC)));
    assert!(holds(&scheme.signed(), SECRET), "the name of a scheme has no case (RFC 9110, 11.1)");
    let digest = receipts().without(CONTENT).with(CONTENT, &EMPTY.to_uppercase());
    assert!(!holds(&digest.signed(), SECRET), "what was signed is the header as it was sent");
}

#[test]
fn a_header_that_makes_no_sense_is_refused() {
    let whole = format!("Credential={KEY},SignedHeaders={NAMES},Timestamp={AT},Signature={MAC}");
    let without = |part: &str| whole.split(',').filter(|each| !each.starts_with(part)).collect::<Vec<_>>().join(",");
    for text in [
        "x".to_owned(),
        "%".to_owned(),
        without("Credential"),
        without("SignedHeaders"),
        without("Timestamp"),
        without("Signature"),
        format!("{whole},Signature={MAC}"),
        format!("{whole},More=1"),
        whole.replace(MAC, &MAC[1..]),
        whole.replace(MAC, "no hex"),
        whole.replace(KEY, "a key"),
        whole.replace(KEY, "a%0Akey"),
        whole.replace(NAMES, ""),
        whole.replace("host;", ""),
        whole.replace("x-nd-date;", ""),
        whole.replace("x-nd-content-sha256;", ""),
        whole.replace(NAMES, &format!("{NAMES};accept")),
        whole.replace(NAMES, &format!("{NAMES};")),
        whole.replace(NAMES, &format!("{NAMES};no header")),
    ] {
        assert!(receipts().claiming(&text).refused(), "{text}");
    }
    let twice = receipts().with("authorization", "Bearer abc");
    assert!(twice.refused(), "two proofs");
    let again = receipts().with("authorization", &format!("NWS4-HMAC-SHA256 {}", claim(NAMES, MAC)));
    assert!(again.refused(), "the same twice");
}

#[test]
fn an_instant_is_written_in_one_way() {
    let dated = |at: &str| {
        let names = encoded(NAMES, b"");
        let text = format!("Credential={KEY},SignedHeaders={names},Timestamp={},Signature={MAC}", encoded(at, b""));
        receipts().without(DATE).with(DATE, at).claiming(&encoded(&text, b""))
    };
    assert!(holds(&dated(AT).signed(), SECRET));
    for at in [
        "2021-06-24T15:47:57Z",
        "2021-06-24T15:47:57.2130Z",
        "2021-06-24T15:47:57.213+00:00",
        "2021-06-24t15:47:57.213z",
        "2021-06-24 15:47:57.213Z",
        "2021-06-31T15:47:57.213Z",
        "2021-06-24T24:47:57.213Z",
        "2021-06-24T15:47:60.213Z",
        "+2021-06-24T15:47:57.213Z",
        "",
    ] {
        assert!(dated(at).refused(), "{at}");
    }
    assert!(receipts().without(DATE).with(DATE, "2021-06-24T15:47:57.214Z").refused(), "another than was signed");
    assert!(receipts().with(DATE, AT).refused(), "sent twice");
}

#[test]
fn the_digest_is_that_of_the_bytes_received() {
    let mut sent = receipts();
    sent.body = b" ";
    assert!(sent.refused());
    assert!(receipts().without(CONTENT).with(CONTENT, &EMPTY[1..]).refused());
    assert!(receipts().without(CONTENT).refused());
}

#[test]
fn where_no_body_comes_the_digest_that_was_signed_is_trusted() {
    let mut sent = receipts();
    sent.body = b"elsewhere";
    let trusting = |sent: &Sent| signature(&Received { body: None, ..sent.received() });
    assert!(holds(&trusting(&sent).unwrap().unwrap(), SECRET));
    let other = receipts().without(CONTENT).with(CONTENT, &hex(&sha256(b"another")));
    assert!(!holds(&trusting(&other).unwrap().unwrap(), SECRET), "but it is the one that was signed");
    assert!(trusting(&receipts().without(CONTENT)).is_err(), "and there must be one");
}

#[test]
fn whatever_is_signed_counts() {
    let mut path = receipts();
    path.path = "/portos/api/v1/registrations/receipts/processable/first";
    let mut query = receipts();
    query.query = "cashRegisterCode=88812345678900002";
    let mut method = receipts();
    method.method = Method::HEAD;
    let mut host = receipts();
    host.host = "localhost";
    let tenant = receipts().without("__tenant").with("__tenant", "39fd0386-1c7b-5fb0-201f-36725cbfcacd");
    for sent in [path, query, method, host, tenant] {
        assert!(!holds(&sent.signed(), SECRET));
    }
    assert!(receipts().without("__tenant").refused(), "a header that was signed and did not come");
    let mut nameless = receipts();
    nameless.host = "";
    assert!(nameless.refused(), "no host");
    assert!(holds(&receipts().with("accept", "*/*").signed(), SECRET), "what was not signed may be anything");
}

#[test]
fn another_scheme_is_none_of_ours() {
    for other in ["Bearer abc", "NWS4-HMAC-SHA256", "NWS4-HMAC-SHA512 abc", "Basic YTpi"] {
        let sent = receipts().without("authorization").with("authorization", other);
        assert_eq!(sent.read(), Ok(None), "{other}");
    }
    assert_eq!(receipts().without("authorization").read(), Ok(None));
}

#[test]
fn the_chunked_form_is_named() {
    let digest = receipts().without(CONTENT).with(CONTENT, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    let encoding = receipts().with("content-encoding", "gzip, nws-chunked");
    for sent in [digest, encoding] {
        assert_eq!(sent.read(), Err(Failure::Protocol(Protocol::SignedInChunks)));
    }
    let other = receipts().with("content-encoding", "nws-chunked").without("authorization");
    assert_eq!(other.read(), Ok(None), "nobody claims a signature");
}

#[test]
fn a_query_is_spelled_out() {
    for (raw, canonical) in [
        ("", ""),
        ("a", "a="),
        ("a=", "a="),
        ("=", "="),
        ("&", "=&="),
        ("a=1=2=3", "a=1"),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&b=1&a=1", "a=2&a=1&b=1"),
        ("b=1&B=2&_=3&1=4", "1=4&B=2&_=3&b=1"),
        ("aa=1&a=2", "a=2&aa=1"),
        ("q=a+b", "q=a%2Bb"),
        ("q=a%20b", "q=a%2520b"),
        ("q=a%2Fb", "q=a%252Fb"),
        ("q=a/b:c", "q=a%2Fb%3Ac"),
        ("q=%c5%88", "q=%25c5%2588"),
        ("$skip=10&$sort=a", "%24skip=10&%24sort=a"),
        ("name=contains:x;y", "name=contains%3Ax%3By"),
    ] {
        assert_eq!(query(raw), canonical, "{raw}");
    }
}

#[test]
fn text_after_a_second_equals_sign_is_not_covered() {
    for (query, expected) in [
        ("", true),
        ("a", true),
        ("a=1&b=2", true),
        ("a=1=", true),
        ("a=1==&b=2", true),
        ("==", true),
        ("a=1=2", false),
        ("a==2", false),
        ("a=1==2", false),
        ("b&a=1=2&c", false),
        ("i=1$ref=1&validate", false),
    ] {
        assert_eq!(covers(query), expected, "{query}");
    }
}

#[test]
fn a_path_is_encoded_once_more() {
    for (path, line) in [
        ("/", "/"),
        ("/portos/api/v1/auth", "/portos/api/v1/auth"),
        ("/a%2Fb", "/a%252Fb"),
        ("/a%20b", "/a%2520b"),
        ("/a+b", "/a%2Bb"),
        ("/a:b~c_d-e.f", "/a:b~c_d-e.f"),
        ("/%C5%88", "/%25C5%2588"),
        ("//a/../b/", "//a/../b/"),
    ] {
        let mut sent = receipts();
        sent.path = path;
        let canonical = canonical(&sent.received(), &["host".to_owned()].into(), &[0; 32]).unwrap();
        assert_eq!(String::from_utf8(canonical).unwrap().lines().nth(1), Some(line), "{path}");
    }
}

#[test]
fn headers_are_spelled_out() {
    let mut sent =
        receipts().with("X-List", "b").with("x-list", "a").with("accept", "  text/html,\t  */*  ").with("empty", "");
    sent.query = "";
    let signed = ["x-list", "accept", "empty", "__tenant", "host"].map(str::to_owned).into();
    let expected = [
        "GET",
        "/api/v1/registrations/receipts/processable/first",
        "",
        "__tenant:39fd0386-1c7b-5fb0-201f-36725cbfcacc",
        "accept:text/html, */*",
        "empty:",
        "host:localhost:5000",
        "x-list:b,a",
        "accept;empty;host;x-list;__tenant",
        "0101010101010101010101010101010101010101010101010101010101010101",
    ];
    let canonical = canonical(&sent.received(), &signed, &[1; 32]).unwrap();
    assert_eq!(String::from_utf8(canonical).unwrap(), expected.join("\n"));
}
