//! What tests of gateways share: the configurations of docs/gateway.md, and what a client is answered through one.

/// The first block of docs/gateway.md in this language.
pub fn block(language: &str) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/gateway.md")).unwrap();
    let from = page.split_once(&format!("```{language}\n")).unwrap().1;
    from.split_once("```").unwrap().0.to_owned()
}

/// What a client was answered.
pub struct GatewayResponse {
    /// The status.
    pub status: u16,
    /// Head and body, as they came.
    pub text: String,
}

/// The lines of a head under this name, whatever its case.
pub fn lines<'h>(head: &'h str, name: &str) -> Vec<&'h str> {
    let under = |line: &'h str| {
        line.split_once(": ").filter(|(each, _)| each.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    head.lines().filter_map(under).collect()
}

/// The code of a refusal, as its header has it, and its body as JSON.
pub fn refusal(said: &GatewayResponse) -> (String, serde_json::Value) {
    let (head, body) = said.text.split_once("\r\n\r\n").unwrap();
    assert!(lines(head, "Content-Type")[0].contains("json"), "{}", said.text);
    // nginx may send it in chunks
    let from = body.find('{').unwrap();
    let to = body.rfind('}').unwrap();
    (lines(head, "X-Tillgate-Code").join(","), serde_json::from_str(&body[from..=to]).unwrap())
}
