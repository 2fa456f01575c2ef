//! schemathesis against the real server on both databases: whatever it makes up from the OpenAPI document, what comes back stands in
//! the document, and nothing is a 5xx.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use tillgate_tests::clients::{python_script, succeed};
use tillgate_tests::{PASSWORD, on_both};

/// A row of the table that gateways ask, so that this call too can go well.
const ACCESS: &str = r#"
[[access]]
mount = "native"
tenant = "default"
method = "GET"
path = "/products"
role = "cashier"
"#;

#[test]
fn no_request_is_answered_as_the_document_does_not_say() {
    on_both(|shop| {
        std::fs::write(shop.folder().join("tillgate.toml"), ACCESS).unwrap();
        let server = shop.serve();
        let mut script = python_script("openapi.py");
        script.env("BASE", server.address()).env("PASSWORD", PASSWORD);
        println!("{}", succeed(script));
    });
}
