//! Schemathesis against the real server on both databases: whatever it generates from the OpenAPI
//! document, the answer is documented, and never a 5xx.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use tillgate_tests::clients::{python_script, run_ok};
use tillgate_tests::{PASSWORD, run_on_both_engines};

/// A row of the gateway's access table, so that this call can succeed too.
const ACCESS_ROWS: &str = r#"
[[access]]
mount = "native"
tenant = "default"
method = "GET"
path = "/products"
role = "cashier"
"#;

#[test]
fn answers_match_the_openapi_document() {
    run_on_both_engines(|shop| {
        std::fs::write(shop.folder().join("tillgate.toml"), ACCESS_ROWS).unwrap();
        let server = shop.serve();
        let mut script = python_script("openapi.py");
        script.env("BASE", server.address()).env("PASSWORD", PASSWORD);
        println!("{}", run_ok(script));
    });
}
