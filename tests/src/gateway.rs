//! Helpers for tests of gateways: the configurations of docs/gateway.md, and responses through a
//! gateway.

/// The first code block of docs/gateway.md in this language.
pub fn code_block(language: &str) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/gateway.md")).unwrap();
    let from = page.split_once(&format!("```{language}\n")).unwrap().1;
    from.split_once("```").unwrap().0.to_owned()
}

/// A response through a gateway.
pub struct GatewayResponse {
    /// The status code.
    pub status: u16,
    /// Head and body as they were received.
    pub text: String,
}

/// The values of the header with this name, in any case.
pub fn header_values<'h>(head: &'h str, name: &str) -> Vec<&'h str> {
    let under = |line: &'h str| {
        line.split_once(": ").filter(|(each, _)| each.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    head.lines().filter_map(under).collect()
}

/// The code in the header of an error, and its body as JSON.
pub fn parse_error(response: &GatewayResponse) -> (String, serde_json::Value) {
    let (head, body) = response.text.split_once("\r\n\r\n").unwrap();
    assert!(header_values(head, "Content-Type")[0].contains("json"), "{}", response.text);
    // nginx may send it in chunks
    let from = body.find('{').unwrap();
    let to = body.rfind('}').unwrap();
    (header_values(head, "X-Tillgate-Code").join(","), serde_json::from_str(&body[from..=to]).unwrap())
}
