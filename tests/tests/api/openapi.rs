//! Schemathesis against the real server on both databases: whatever it generates from the OpenAPI
//! document, the response is documented, and never a 5xx.

use tillgate_tests::clients::{python_script, run_ok};
use tillgate_tests::{DatabaseEngine, Installation, PASSWORD};

/// The public address and a row of the gateway's access table, so that the calls that require them
/// can succeed too.
const CONFIGURATION: &str = r#"
[server]
public_url = "https://pos.example"

[[access]]
mount = "native"
tenant = "default"
method = "GET"
path = "/products"
role = "cashier"
"#;

#[test]
#[ignore = "requires Python"]
fn responses_match_the_openapi_document_on_sqlite() {
    check_responses(DatabaseEngine::Sqlite);
}

#[test]
#[ignore = "requires Python and PostgreSQL"]
fn responses_match_the_openapi_document_on_postgres() {
    check_responses(DatabaseEngine::Postgres);
}

fn check_responses(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    std::fs::write(installation.folder().join("tillgate.toml"), CONFIGURATION).unwrap();
    let server = installation.serve();
    let mut script = python_script("openapi.py");
    script.env("BASE", server.address()).env("PASSWORD", PASSWORD);
    println!("{}", run_ok(script));
}
