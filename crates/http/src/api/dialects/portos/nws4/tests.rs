//! The published test vectors, and unusual forms that clients send.

use tillgate_domain::Secret;

use super::*;

const CLIENT_ID: &str = "8248d4058e36840bea23ebbe3e602f6e";
const SECRET: &str = "388e98f5c56728266991583a6f8fcd1b9279cdc00b5c371bffc0ea402b14d954";
const TIMESTAMP: &str = "2021-06-24T15:47:57.213Z";
const EMPTY_DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// An owned request.
#[derive(Clone)]
struct SampleRequest {
    method: Method,
    path: &'static str,
    query: &'static str,
    host: &'static str,
    headers: HeaderMap,
    body: &'static [u8],
}

impl SampleRequest {
    fn signed_request(&self) -> SignedRequest<'_> {
        SignedRequest {
            method: &self.method,
            path: self.path,
            query: self.query,
            host: self.host,
            headers: &self.headers,
            body: Some(self.body),
        }
    }

    fn call_with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(HeaderName::try_from(name).unwrap());
        self
    }

    /// Replaces the parameters after the scheme.
    fn with_authorization(self, text: &str) -> Self {
        self.without_header("authorization").call_with_header("authorization", &format!("NWS4-HMAC-SHA256 {text}"))
    }

    fn read_signature(&self) -> Result<Option<Signature>, ApiError> {
        read_signature(&self.signed_request())
    }

    /// Returns the signature, which must be present.
    fn expect_signature(&self) -> Signature {
        self.read_signature().unwrap().unwrap()
    }

    fn assert_denied(&self) -> bool {
        self.read_signature() == Err(ApiError::Denied(AuthDenied::Token(TokenDenied::Invalid)))
    }
}

fn is_valid_for(signature: &Signature, secret: &str) -> bool {
    signature.verify(&Secret::new(secret.to_owned()))
}

fn authorization_value(names: &str, mac: &str) -> String {
    let names = percent::encode(names, is_unreserved);
    percent::encode(
        &format!(
            "Credential={CLIENT_ID},SignedHeaders={names},Timestamp={},Signature={mac}",
            percent::encode(TIMESTAMP, is_unreserved)
        ),
        is_unreserved,
    )
}

const MAC: &str = "510cfbf80d0f27e78a51a0e06407cdc6f01e2758dd6aea655fb64387cf252e6f";
const SIGNED_HEADERS: &str = "host;x-nd-content-sha256;x-nd-date;__tenant";

/// The second published vector.
fn receipts_request() -> SampleRequest {
    SampleRequest {
        method: Method::GET,
        path: "/api/v1/registrations/receipts/processable/first",
        query: "cashRegisterCode=88812345678900001",
        host: "localhost:5000",
        headers: HeaderMap::new(),
        body: b"",
    }
    .call_with_header("__tenant", "39fd0386-1c7b-5fb0-201f-36725cbfcacc")
    .call_with_header("x-nd-date", TIMESTAMP)
    .call_with_header("x-nd-content-sha256", EMPTY_DIGEST)
    .with_authorization(&authorization_value(SIGNED_HEADERS, MAC))
}

#[test]
fn first_published_vector_verifies() {
    let secret = "5070adfb2bedf1c0c97d5c8cfa8c794d513249b802ea10596a175d88828abc19";
    let at = "2023-05-30T13:17:01.992Z";
    let text = "Credential%3Dd948ec22e47790caacce234b792a0f117d85c365%2CSignedHeaders%3Daccept%253Bcontent-type%253Bhost\
        %253Bx-nd-content-sha256%253Bx-nd-date%2CTimestamp%3D2023-05-30T13%253A17%253A01.992Z%2CSignature%3D\
        87c7a2057285f0db8dc3b7c95c15fe5476f5ab44b73b3e15990d8b1a837d4ddb";
    let sent = SampleRequest {
        method: Method::POST,
        path: "/api/user",
        query: "i=1$ref=1&validate",
        host: "example.com:8080",
        headers: HeaderMap::new(),
        body: br#"{"name":"John"}"#,
    }
    .call_with_header("content-type", "application/json")
    .call_with_header("accept", "application/json")
    .call_with_header("x-nd-date", at)
    .call_with_header("x-nd-content-sha256", &hex::encode(&sha256(br#"{"name":"John"}"#)))
    .with_authorization(text);
    let signature = sent.expect_signature();
    let request = "669ed6079db48d817f5c2992f21dbbb9e2211e98db4c225facb17fe40511c148";
    assert_eq!(canonicalize_query(sent.query), "i=1%24ref&validate=");
    assert_eq!(
        signature.message,
        format!("NWS4-HMAC-SHA256\n{at}\nd948ec22e47790caacce234b792a0f117d85c365\n{request}")
    );
    assert_eq!((signature.scope.as_str(), timestamps::format_instant(signature.at).as_str()), ("2023-05-30", at));
    assert!(is_valid_for(&signature, secret));
    assert!(!is_valid_for(&signature, SECRET));
}

#[test]
fn second_published_vector_verifies() {
    let signature = receipts_request().expect_signature();
    assert_eq!(signature.client_id, CLIENT_ID);
    assert!(is_valid_for(&signature, SECRET));
}

/// The published request of another client, which signs `POST /api/v1/registrations/receipts` with
/// a tenant.
#[test]
fn published_client_with_lower_case_hex_verifies() {
    let body = b"{\n    \"Key\": \"Value\"\n}";
    let sent = SampleRequest {
        method: Method::POST,
        path: "/api/v1/registrations/receipts",
        query: "",
        host: "ekasa-cloud-int.ninedigit.sk",
        headers: HeaderMap::new(),
        body,
    }
    .call_with_header("__tenant", "39ff67bf-0182-4903-c820-2dd75eed9d21")
    .call_with_header("x-nd-date", "2022-02-07T10:47:53.026Z")
    .call_with_header("x-nd-content-sha256", &hex::encode(&sha256(body)))
    .with_authorization(
        "Credential%3dd51fbd43e205b16a806ca2399c7023b8%2cSignedHeaders%3dhost%253bx-nd-content-sha256%253bx-nd-date\
         %253b__tenant%2cTimestamp%3d2022-02-07T10%253a47%253a53.026Z%2cSignature%3d\
         6a130431fc7fe63f42821426028af06ba73bbdbb5e1a65e4d54249877603bcfe",
    );
    assert!(is_valid_for(&sent.expect_signature(), "1adaee8c378449453dcf40625d20d6b65b02f51aa28191df874296c1f13c8243"));
}

#[test]
fn authorization_header_variants_verify() {
    let lower =
        authorization_value(SIGNED_HEADERS, MAC).replace("%2C", "%2c").replace("%3D", "%3d").replace("%253B", "%253b");
    for text in [
        lower,
        authorization_value("x-nd-date;__tenant;HOST;X-Nd-Content-Sha256", MAC),
        authorization_value(SIGNED_HEADERS, &MAC.to_uppercase()),
        percent::encode(
            &format!("Signature={MAC},Timestamp={TIMESTAMP},SignedHeaders={SIGNED_HEADERS},Credential={CLIENT_ID}"),
            is_unreserved,
        ),
        format!("Credential={CLIENT_ID},SignedHeaders={SIGNED_HEADERS},Timestamp={TIMESTAMP},Signature={MAC}"),
    ] {
        assert!(is_valid_for(&receipts_request().with_authorization(&text).expect_signature(), SECRET), "{text}");
    }
    let scheme = receipts_request()
        .without_header("authorization")
        .call_with_header("authorization", &format!("nws4-hmac-sha256  {}", authorization_value(SIGNED_HEADERS, MAC)));
    assert!(is_valid_for(&scheme.expect_signature(), SECRET), "the name of a scheme has no case (RFC 9110, 11.1)");
    let digest =
        receipts_request().without_header(DIGEST_HEADER).call_with_header(DIGEST_HEADER, &EMPTY_DIGEST.to_uppercase());
    assert!(!is_valid_for(&digest.expect_signature(), SECRET), "what was signed is the header as it was sent");
}

#[test]
fn malformed_authorization_header_is_rejected() {
    let whole = format!("Credential={CLIENT_ID},SignedHeaders={SIGNED_HEADERS},Timestamp={TIMESTAMP},Signature={MAC}");
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
        whole.replace(CLIENT_ID, "a key"),
        whole.replace(CLIENT_ID, "a%0Akey"),
        whole.replace(SIGNED_HEADERS, ""),
        whole.replace("host;", ""),
        whole.replace("x-nd-date;", ""),
        whole.replace("x-nd-content-sha256;", ""),
        whole.replace(SIGNED_HEADERS, &format!("{SIGNED_HEADERS};accept")),
        whole.replace(SIGNED_HEADERS, &format!("{SIGNED_HEADERS};")),
        whole.replace(SIGNED_HEADERS, &format!("{SIGNED_HEADERS};no header")),
    ] {
        assert!(receipts_request().with_authorization(&text).assert_denied(), "{text}");
    }
    let twice = receipts_request().call_with_header("authorization", "Bearer abc");
    assert!(twice.assert_denied(), "two proofs");
    let again = receipts_request()
        .call_with_header("authorization", &format!("NWS4-HMAC-SHA256 {}", authorization_value(SIGNED_HEADERS, MAC)));
    assert!(again.assert_denied(), "the same twice");
}

#[test]
fn timestamp_has_one_spelling() {
    let dated = |at: &str| {
        let names = percent::encode(SIGNED_HEADERS, is_unreserved);
        let text = format!(
            "Credential={CLIENT_ID},SignedHeaders={names},Timestamp={},Signature={MAC}",
            percent::encode(at, is_unreserved)
        );
        receipts_request()
            .without_header(DATE_HEADER)
            .call_with_header(DATE_HEADER, at)
            .with_authorization(&percent::encode(&text, is_unreserved))
    };
    assert!(is_valid_for(&dated(TIMESTAMP).expect_signature(), SECRET));
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
        assert!(dated(at).assert_denied(), "{at}");
    }
    assert!(
        receipts_request()
            .without_header(DATE_HEADER)
            .call_with_header(DATE_HEADER, "2021-06-24T15:47:57.214Z")
            .assert_denied(),
        "another than was signed"
    );
    assert!(receipts_request().call_with_header(DATE_HEADER, TIMESTAMP).assert_denied(), "sent twice");
}

#[test]
fn digest_covers_the_received_bytes() {
    let mut sent = receipts_request();
    sent.body = b" ";
    assert!(sent.assert_denied());
    assert!(
        receipts_request()
            .without_header(DIGEST_HEADER)
            .call_with_header(DIGEST_HEADER, &EMPTY_DIGEST[1..])
            .assert_denied()
    );
    assert!(receipts_request().without_header(DIGEST_HEADER).assert_denied());
}

#[test]
fn signed_digest_is_trusted_if_body_is_absent() {
    let mut sent = receipts_request();
    sent.body = b"elsewhere";
    let trusting = |sent: &SampleRequest| read_signature(&SignedRequest { body: None, ..sent.signed_request() });
    assert!(is_valid_for(&trusting(&sent).unwrap().unwrap(), SECRET));
    let other = receipts_request()
        .without_header(DIGEST_HEADER)
        .call_with_header(DIGEST_HEADER, &hex::encode(&sha256(b"another")));
    assert!(!is_valid_for(&trusting(&other).unwrap().unwrap(), SECRET), "but it is the one that was signed");
    assert!(trusting(&receipts_request().without_header(DIGEST_HEADER)).is_err(), "and there must be one");
}

#[test]
fn every_signed_part_changes_the_signature() {
    let mut path = receipts_request();
    path.path = "/portos/api/v1/registrations/receipts/processable/first";
    let mut query = receipts_request();
    query.query = "cashRegisterCode=88812345678900002";
    let mut method = receipts_request();
    method.method = Method::HEAD;
    let mut host = receipts_request();
    host.host = "localhost";
    let tenant = receipts_request()
        .without_header("__tenant")
        .call_with_header("__tenant", "39fd0386-1c7b-5fb0-201f-36725cbfcacd");
    for sent in [path, query, method, host, tenant] {
        assert!(!is_valid_for(&sent.expect_signature(), SECRET));
    }
    assert!(receipts_request().without_header("__tenant").assert_denied(), "a header that was signed and did not come");
    let mut nameless = receipts_request();
    nameless.host = "";
    assert!(nameless.assert_denied(), "no host");
    assert!(
        is_valid_for(&receipts_request().call_with_header("accept", "*/*").expect_signature(), SECRET),
        "what was not signed may be anything"
    );
}

#[test]
fn other_scheme_yields_no_signature() {
    for other in ["Bearer abc", "NWS4-HMAC-SHA256", "NWS4-HMAC-SHA512 abc", "Basic YTpi"] {
        let sent = receipts_request().without_header("authorization").call_with_header("authorization", other);
        assert_eq!(sent.read_signature(), Ok(None), "{other}");
    }
    assert_eq!(receipts_request().without_header("authorization").read_signature(), Ok(None));
}

#[test]
fn chunked_signature_is_reported() {
    let digest = receipts_request()
        .without_header(DIGEST_HEADER)
        .call_with_header(DIGEST_HEADER, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    let encoding = receipts_request().call_with_header("content-encoding", "gzip, nws-chunked");
    for sent in [digest, encoding] {
        assert_eq!(sent.read_signature(), Err(ApiError::Protocol(ProtocolError::ChunkedSignature)));
    }
    let other = receipts_request().call_with_header("content-encoding", "nws-chunked").without_header("authorization");
    assert_eq!(other.read_signature(), Ok(None), "nobody claims a signature");
}

#[test]
fn query_is_canonicalized() {
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
        assert_eq!(canonicalize_query(raw), canonical, "{raw}");
    }
}

#[test]
fn text_after_second_equals_sign_is_not_covered() {
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
        assert_eq!(covers_query(query), expected, "{query}");
    }
}

#[test]
fn path_is_encoded_once_more() {
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
        let mut sent = receipts_request();
        sent.path = path;
        let canonical = build_canonical_request(&sent.signed_request(), &["host".to_owned()].into(), &[0; 32]).unwrap();
        assert_eq!(String::from_utf8(canonical).unwrap().lines().nth(1), Some(line), "{path}");
    }
}

#[test]
fn headers_are_canonicalized() {
    let mut sent = receipts_request()
        .call_with_header("X-List", "b")
        .call_with_header("x-list", "a")
        .call_with_header("accept", "  text/html,\t  */*  ")
        .call_with_header("empty", "");
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
    let canonical = build_canonical_request(&sent.signed_request(), &signed, &[1; 32]).unwrap();
    assert_eq!(String::from_utf8(canonical).unwrap(), expected.join("\n"));
}
