//! The audit log over HTTP: an export and a verification equal those of the command line.

use super::*;

/// How long a verification of the few events of a test may take on a busy machine.
const VERIFICATION_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) fn export_over_http_equals_that_of_the_command_line(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    installation
        .run_ok(&["user", "add", "formula", "--display-name", "=cmd()", "--on", "P01=cashier"], "a long enough one\n");
    let server = installation.serve();
    let office = server.new_till().login("admin", "OFFICE");
    office.post("/api/v1/users", &serde_json::json!({ "user_name": "číslo", "display_name": "a;=1, \"2\"" }));
    assert_eq!(server.new_till().login("cashier", "P01").get("/api/v1/users").status(), 403);
    let listed = office.get("/api/v1/audit-events?limit=1").expect_status(200);
    let newest = listed.text_at("/items/0/at");
    let filters = [
        (format!("until={newest}"), &["--until", newest.as_str()][..]),
        ("action=user.add".to_owned(), &["--action", "user.add"]),
        ("outcome=refused".to_owned(), &["--outcome", "refused"]),
        ("action=user.delete".to_owned(), &["--action", "user.delete"]),
    ];
    for (number, (query, arguments)) in filters.into_iter().enumerate() {
        let by_http = |format: &str| {
            let path = format!("/api/v1/audit-events/export?{format}&{query}");
            office.get(&path).expect_status(200).text().to_owned()
        };
        let by_command = |more: &[&str]| installation.run_ok(&[&["audit", "export"], arguments, more].concat(), "");
        assert_eq!(by_http("format=jsonl"), by_command(&[]), "{query}");
        assert_eq!(by_http("format=csv&bom=false"), by_command(&["--format", "csv"]), "{query}");
        let path = installation.folder().join(format!("{number}.csv"));
        by_command(&["--format", "csv", "--output", path.to_str().unwrap()]);
        assert_eq!(by_http("format=csv").as_bytes(), std::fs::read(&path).unwrap(), "{query}");
    }
}

/// Starts a verification over HTTP and returns its result.
fn verify_over_http(office: &tillgate_tests::TillClient) -> Value {
    let started = office.post("/api/v1/audit/verifications", &serde_json::json!({})).expect_status(202);
    let location = started.header("location").to_owned();
    let mut result = Value::Null;
    wait_until(VERIFICATION_TIMEOUT, "the result", || {
        result = office.get(&location).expect_status(200).json();
        result["state"] != "running"
    });
    assert_eq!(result["state"], "done", "{result}");
    assert_eq!(office.get("/api/v1/audit/seal").expect_status(200).json()["last_verification"], result);
    result
}

pub(super) fn verification_over_http_finds_what_the_command_line_finds(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let office = server.new_till().login("admin", "OFFICE");
    wait_until(SEALING_TIMEOUT, "the seal of every event", || {
        office.get("/api/v1/audit/seal").expect_status(200).json()["unsealed"] == 0
    });
    let seal = office.get("/api/v1/audit/seal").json();
    assert_eq!(seal["position"], query_number(&installation, "SELECT MAX(sequence) FROM audit"), "{seal}");
    let whole = verify_over_http(&office);
    assert_eq!(whole["fault"], Value::Null);
    assert!(whole["checked"].as_i64() > seal["position"].as_i64(), "its own start is sealed first: {whole}");
    drop_triggers(&installation);
    // as if the last verification had not ended recently; the first fault is an earlier event
    execute_sql(&installation, "UPDATE audit SET at = at - 600000 WHERE action LIKE 'audit.verif%'");
    let query = "SELECT MIN(sequence) FROM audit WHERE action = 'login' AND tenant_id IS NOT NULL";
    let changed = query_number(&installation, query);
    execute_sql(&installation, &format!("UPDATE audit SET at = at + 1 WHERE sequence = {changed}"));
    let fault = verify_over_http(&office)["fault"].clone();
    let (whole, document) = verify_audit(&installation, &[]);
    assert!(!whole);
    for member in ["code", "wrong", "detail", "sequence", "id", "at"] {
        assert_eq!(fault[member], document["fault"][member], "{member}: {fault}");
    }
    let said = String::from_utf8(installation.run(&["audit", "verify"], "").stderr).unwrap();
    assert!(said.contains(fault["detail"].as_str().unwrap()), "{said} {fault}");
    assert_eq!((fault["code"].as_str(), fault["sequence"].as_i64()), (Some("changed"), Some(changed)));
    // logins still work
    server.new_till().login("cashier", "P01");
}
