//! The audit log of a real server: sealed within a second, verified and exported from the command
//! line. Every change behind the server's back is found.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use missing_seal::{
    demo_over_an_existing_database_creates_no_seal_file, missing_seal_file_is_reported_before_the_first_start,
    missing_seal_file_is_reported_over_a_chain_without_seals,
};
use over_http::{
    export_over_http_equals_that_of_the_command_line, verification_over_http_finds_what_the_command_line_finds,
};
use serde_json::Value;
use tillgate_tests::{DatabaseEngine, Installation, wait_until};

mod backlog;
mod missing_seal;
mod over_http;

const SEALING_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// Runs SQL statements as the owner of the database could.
fn execute_sql(installation: &Installation, statements: &str) {
    match installation.engine() {
        DatabaseEngine::Sqlite => {
            let path = installation.folder().join("tillgate.db");
            let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
            connection.batch_execute(statements).unwrap();
        }
        DatabaseEngine::Postgres => {
            PgConnection::establish(installation.database()).unwrap().batch_execute(statements).unwrap();
        }
    }
}

fn query_number(installation: &Installation, query: &str) -> i64 {
    let query = format!("SELECT CAST(({query}) AS BIGINT) AS n");
    let found: NumberRow = match installation.engine() {
        DatabaseEngine::Sqlite => {
            let path = installation.folder().join("tillgate.db");
            diesel::sql_query(query).get_result(&mut SqliteConnection::establish(path.to_str().unwrap()).unwrap())
        }
        DatabaseEngine::Postgres => {
            diesel::sql_query(query).get_result(&mut PgConnection::establish(installation.database()).unwrap())
        }
    }
    .unwrap();
    found.n
}

fn drop_triggers(installation: &Installation) {
    execute_sql(
        installation,
        match installation.engine() {
            DatabaseEngine::Sqlite => "DROP TRIGGER IF EXISTS audit_unchanged; DROP TRIGGER IF EXISTS audit_kept",
            DatabaseEngine::Postgres => "ALTER TABLE audit DISABLE TRIGGER ALL",
        },
    );
}

/// The result of `audit verify`, and whether it succeeded.
fn verify_audit(installation: &Installation, more: &[&str]) -> (bool, Value) {
    let output = installation.run(&[&["audit", "verify", "--json"], more].concat(), "");
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let document: Value = serde_json::from_str(text.trim()).unwrap_or_else(|_| panic!("{text} {said}"));
    assert_eq!(output.status.code(), Some(i32::from(document["whole"] != true)), "{document} {said}");
    (document["whole"] == true, document)
}

fn read_seal_file(installation: &Installation) -> Option<Value> {
    let text = std::fs::read_to_string(installation.folder().join("audit.seal")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

tillgate_testkit::on_both_databases!(
    events_are_sealed_within_a_second_and_verify,
    tampering_is_found_and_the_event_named,
    truncated_tail_is_found_and_never_forgotten,
    external_seal_is_compared,
    two_processes_seal_each_event_once,
    removed_seal_file_is_reported_until_reseal,
    missing_seal_file_is_reported_before_the_first_start,
    missing_seal_file_is_reported_over_a_chain_without_seals,
    demo_over_an_existing_database_creates_no_seal_file,
    audit_is_exported_and_listed,
    export_over_http_equals_that_of_the_command_line,
    verification_over_http_finds_what_the_command_line_finds
);

fn events_are_sealed_within_a_second_and_verify(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let till = server.new_till().login("cashier", "P01");
    wait_until(SEALING_TIMEOUT, "the seal of the last line", || {
        query_number(&installation, "SELECT COUNT(*) FROM audit WHERE sequence IS NULL") == 0
            && read_seal_file(&installation).is_some_and(|noted| {
                noted["sequence"] == query_number(&installation, "SELECT MAX(sequence) FROM audit")
            })
    });
    let (whole, document) = verify_audit(&installation, &[]);
    assert!(whole, "{document}");
    assert_eq!(document["outside"]["sequence"], document["lines"]);
    for seal in ["seal", "outside"] {
        assert!(
            document[seal]["at"].as_str().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')),
            "{document}"
        );
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(installation.folder().join("audit.seal")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    till.get_current_session().expect_status(200);
    drop(server);
    // the command line also records events and leaves them to the next sealer
    installation.run_ok(&["user", "status", "cashier", "suspended"], "");
    assert_eq!(query_number(&installation, "SELECT COUNT(*) FROM audit WHERE sequence IS NULL"), 1);
    // the test's folder is accessible to others, which `doctor` reports
    let doctor = String::from_utf8(installation.run(&["doctor"], "").stdout).unwrap();
    assert!(
        doctor.contains("ok    audit: ") && doctor.contains("; 1 event not sealed until a server runs"),
        "{doctor}"
    );
    let said = installation.run_ok(&["audit", "verify"], "");
    assert!(said.contains("events verified") && said.contains("outside the database matches"), "{said}");
    assert_eq!(query_number(&installation, "SELECT COUNT(*) FROM audit WHERE sequence IS NULL"), 0);
}

fn tampering_is_found_and_the_event_named(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    drop(installation.serve());
    let lines = query_number(&installation, "SELECT COUNT(*) FROM audit");
    assert!(lines > 5, "{lines}");
    assert_eq!(read_seal_file(&installation).unwrap()["sequence"], lines);
    drop_triggers(&installation);
    let found = |change: &str, back: &str, code: &str, sequence: i64| {
        execute_sql(&installation, change);
        let (whole, document) = verify_audit(&installation, &[]);
        assert!(!whole);
        let fault = &document["fault"];
        assert_eq!((fault["code"].as_str(), fault["sequence"].as_i64()), (Some(code), Some(sequence)), "{change}");
        let id = format!("SELECT COUNT(*) FROM audit WHERE sequence = {sequence}");
        assert_eq!((query_number(&installation, &id), fault["id"].as_str().map(str::len)), (1, Some(36)));
        assert!(fault["at"].as_str().unwrap().starts_with("20"));
        execute_sql(&installation, back);
        assert!(verify_audit(&installation, &[]).0, "{back}");
    };
    found(
        "UPDATE audit SET at = at + 1 WHERE sequence = 3",
        "UPDATE audit SET at = at - 1 WHERE sequence = 3",
        "changed",
        3,
    );
    found(
        "UPDATE audit SET details = details || ' ' WHERE sequence = 4",
        "UPDATE audit SET details = SUBSTR(details, 1, LENGTH(details) - 1) WHERE sequence = 4",
        "changed",
        4,
    );
    found(
        "UPDATE audit SET sequence = 100000 WHERE sequence = 2",
        "UPDATE audit SET sequence = 2 WHERE sequence = 100000",
        "missing",
        3,
    );
    found(
        "UPDATE audit SET sequence = -1 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 3; \
             UPDATE audit SET sequence = 3 WHERE sequence = -1",
        "UPDATE audit SET sequence = -1 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 3; \
             UPDATE audit SET sequence = 3 WHERE sequence = -1",
        "detached",
        2,
    );
    execute_sql(&installation, "DELETE FROM audit WHERE sequence = 2");
    let output = installation.run(&["audit", "verify"], "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("event 3, id ") && said.contains("event 2 before it is missing"), "{said}");
}

fn truncated_tail_is_found_and_never_forgotten(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    drop(installation.serve());
    let before = read_seal_file(&installation).unwrap();
    let lines = before["sequence"].as_i64().unwrap();
    drop_triggers(&installation);
    execute_sql(
        &installation,
        &format!(
            "DELETE FROM audit WHERE sequence > {lines} - 2; UPDATE audit_seal SET sequence = {lines} - 2, \
                 hash = (SELECT hash FROM audit WHERE sequence = {lines} - 2)"
        ),
    );
    let (whole, document) = verify_audit(&installation, &[]);
    assert!(!whole && document["fault"]["code"] == "cut", "{document}");
    assert_eq!(document["fault"]["sequence"], lines - 2);
    let doctor = installation.run(&["doctor"], "");
    assert_eq!(doctor.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("FIX   audit"), "{doctor:?}");
    // a server that continues neither accepts the shorter chain as complete nor stops sealing
    let server = installation.serve();
    for _ in 0..4 {
        server.new_till().login("cashier", "P01");
    }
    wait_until(SEALING_TIMEOUT, "the seals of new lines", || {
        query_number(&installation, "SELECT COUNT(*) FROM audit WHERE sequence IS NULL") == 0
    });
    wait_until(SEALING_TIMEOUT, "a word in the log", || {
        server.read_log().contains("the audit log is not sealed correctly")
    });
    assert_eq!(read_seal_file(&installation).unwrap(), before, "the proof stays");
    let (whole, document) = verify_audit(&installation, &[]);
    assert!(!whole && document["fault"]["code"] == "other", "{document}");
    assert_eq!(document["fault"]["sequence"], lines);
    // the operator declares that a backup was restored, and a new chain begins
    let said = String::from_utf8(installation.run(&["doctor", "--restored"], "").stderr).unwrap();
    assert!(said.contains("its last seal is kept in"), "{said}");
    wait_until(SEALING_TIMEOUT, "a new seal outside", || {
        read_seal_file(&installation).is_some_and(|noted| noted != before)
    });
    wait_until(SEALING_TIMEOUT, "a word of relief", || server.read_log().contains("sealed correctly again"));
    assert!(verify_audit(&installation, &[]).0);
    let exported = installation.run_ok(&["audit", "export", "--all-tenants", "--action", "store.restored"], "");
    let line: Value = serde_json::from_str(exported.trim()).unwrap();
    assert_eq!(line["details"]["seal"], before);
}

fn external_seal_is_compared(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    drop(installation.serve());
    let kept = installation.folder().join("kept.json");
    let (_, document) = verify_audit(&installation, &[]);
    std::fs::write(&kept, document["seal"].to_string()).unwrap();
    let path = kept.to_str().unwrap();
    installation.run_ok(&["user", "status", "cashier", "suspended"], "");
    assert!(verify_audit(&installation, &["--seal", path]).0);
    std::fs::remove_file(installation.folder().join("audit.seal")).unwrap();
    let without_file = installation.run(&["audit", "verify"], "");
    assert_eq!(without_file.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&without_file.stderr).contains("audit.seal is missing"), "{without_file:?}");
    let fault = verify_audit(&installation, &[]).1["fault"].clone();
    assert_eq!(fault["code"], "seal_missing");
    let mut other: Value = document["seal"].clone();
    other["hash"] = Value::from("01".repeat(33));
    std::fs::write(&kept, other.to_string()).unwrap();
    let (whole, document) = verify_audit(&installation, &["--seal", path]);
    assert!(!whole && document["fault"]["code"] == "other", "{document}");
    other["instance"] = Value::from("018f3b3e-0000-7000-8000-000000000000");
    std::fs::write(&kept, other.to_string()).unwrap();
    let refused = installation.run(&["audit", "verify", "--seal", path], "");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another database"), "{refused:?}");
    let missing = installation.run(&["audit", "verify", "--seal", "/nowhere"], "");
    assert_eq!(missing.status.code(), Some(1));
}

fn two_processes_seal_each_event_once(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let second = installation.clone_with_new_folder();
    let (one, other) = match installation.engine() {
        DatabaseEngine::Sqlite => (installation.serve(), installation.serve()),
        DatabaseEngine::Postgres => {
            // a data folder that is new to the database begins its chain only by an explicit
            // command
            second.run_ok(&["audit", "reseal", "--yes"], "");
            (installation.serve(), second.serve())
        }
    };
    std::thread::scope(|scope| {
        for (server, device) in [(&one, "P01"), (&other, "P02")] {
            scope.spawn(move || {
                for _ in 0..10 {
                    server.new_till().login("cashier", device);
                }
            });
        }
    });
    wait_until(SEALING_TIMEOUT, "the seals of all lines", || {
        query_number(&installation, "SELECT COUNT(*) FROM audit WHERE sequence IS NULL") == 0
    });
    let (whole, document) = verify_audit(&installation, &[]);
    assert!(whole, "{document}");
    assert_eq!(document["lines"], query_number(&installation, "SELECT COUNT(*) FROM audit"));
    if installation.engine() == DatabaseEngine::Postgres {
        // each data folder stores the newest seal, also of the other process
        wait_until(SEALING_TIMEOUT, "the seal in the second folder", || {
            read_seal_file(&second).is_some_and(|noted| noted["sequence"] == document["lines"])
        });
    }
    for log in [one.read_log(), other.read_log()] {
        assert!(!log.contains("the audit log is not sealed"), "{log}");
    }
}

fn removed_seal_file_is_reported_until_reseal(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    drop(installation.serve());
    let before = read_seal_file(&installation).unwrap();
    std::fs::remove_file(installation.folder().join("audit.seal")).unwrap();
    let server = installation.serve();
    server.new_till().login("cashier", "P01");
    wait_until(SEALING_TIMEOUT, "an error in the log", || server.read_log().contains("audit.seal is missing"));
    wait_until(SEALING_TIMEOUT, "the seals of new lines", || {
        query_number(&installation, "SELECT COUNT(*) FROM audit WHERE sequence IS NULL") == 0
    });
    assert_eq!(read_seal_file(&installation), None, "no server begins a new one by itself");
    let doctor = String::from_utf8(installation.run(&["doctor"], "").stdout).unwrap();
    assert!(doctor.contains("FIX   audit") && doctor.contains("audit reseal --yes"), "{doctor}");
    let unsure = installation.run(&["audit", "reseal"], "");
    assert_eq!((unsure.status.code(), read_seal_file(&installation)), (Some(2), None));
    installation.run_ok(&["audit", "reseal", "--yes"], "");
    wait_until(SEALING_TIMEOUT, "the newest seal outside", || {
        read_seal_file(&installation)
            .is_some_and(|noted| noted["sequence"] == query_number(&installation, "SELECT MAX(sequence) FROM audit"))
    });
    assert!(read_seal_file(&installation).unwrap()["sequence"].as_i64() > before["sequence"].as_i64());
    wait_until(SEALING_TIMEOUT, "relief in the log", || server.read_log().contains("sealed correctly again"));
    assert!(verify_audit(&installation, &[]).0);
    assert!(installation.run_ok(&["audit", "reseal"], "").contains("nothing to do"));
    let exported = installation.run_ok(&["audit", "export", "--all-tenants", "--action", "audit.reseal"], "");
    let line: Value = serde_json::from_str(exported.trim()).unwrap();
    assert_eq!(line["details"]["before"], Value::Null);
}

fn read_rows(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn audit_is_exported_and_listed(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    server.new_till().login("cashier", "P01");
    drop(server);
    installation
        .run_ok(&["user", "add", "formula", "--display-name", "=1+1", "--on", "P01=cashier"], "a long enough one\n");
    let (json, csv) = (installation.folder().join("audit.jsonl"), installation.folder().join("audit.csv"));
    let export = |more: &[&str]| installation.run_ok(&[&["audit", "export"], more].concat(), "");
    let of = query_number(&installation, "SELECT COUNT(*) FROM audit WHERE tenant_id IS NOT NULL");
    assert!(export(&["--output", json.to_str().unwrap()]).contains(" events"));
    export(&["--format", "csv", "--output", csv.to_str().unwrap()]);
    let lines: Vec<Value> = read_rows(&json).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(i64::try_from(lines.len()).unwrap(), of);
    assert!(lines.windows(2).all(|pair| pair[0]["id"].as_str() > pair[1]["id"].as_str()), "the newest first");
    let table = read_rows(&csv);
    assert_eq!(table.len(), lines.len() + 2, "the headings, and the event of the first export");
    assert!(table[0].starts_with("\u{feff}id,at,tenant_id,user_id,user_name,"), "Excel knows UTF-8 by its mark");
    let bare = export(&["--format", "csv"]);
    assert!(bare.starts_with("id,at,"), "who reads a pipe is no Excel");
    assert!(export(&["--format", "csv", "--bom"]).starts_with("\u{feff}id,at,"));
    let unmarked = installation.folder().join("unmarked.csv");
    export(&["--format", "csv", "--bom=false", "--output", unmarked.to_str().unwrap()]);
    assert!(read_rows(&unmarked)[0].starts_with("id,at,"));
    assert_eq!(installation.run(&["audit", "export", "--bom"], "").status.code(), Some(2), "JSON lines have no mark");
    assert!(table[1].contains(",audit.export,tenant,"), "{}", table[1]);
    assert!(table[2].starts_with(lines[0]["id"].as_str().unwrap()));
    let login = lines.iter().find(|line| line["action"] == "login" && line["user"]["user_name"] == "cashier");
    let session = login.unwrap()["session"].as_str().or(login.unwrap()["subject"]["id"].as_str()).unwrap();
    assert!(!session.is_empty());
    let text = export(&["--action", "user.add", "--outcome", "done"]);
    assert!(!text.is_empty() && text.lines().all(|line| line.contains("\"action\":\"user.add\"")));
    assert_eq!(export(&["--until", "2020-01-01"]), "");
    let all = export(&["--from", "2020-01-01"]);
    let exported = all.lines().filter(|line| line.contains("\"action\":\"audit.export\""));
    assert_eq!(all.lines().count() - exported.count(), lines.len());
    assert_eq!(export(&["--user", "cashier", "--action", "login"]).lines().count(), 1);
    assert!(export(&["--all-tenants"]).lines().count() > lines.len(), "the server's own lines too");
    // an existing file is never overwritten
    assert_eq!(installation.run(&["audit", "export", "--output", csv.to_str().unwrap()], "").status.code(), Some(1));
    assert_eq!(installation.run(&["audit", "export", "--action", "user.fly"], "").status.code(), Some(2));
    let listed = installation.run_ok(&["audit", "list", "--limit", "2"], "");
    assert!(listed.starts_with("AT") && listed.lines().count() == 3, "{listed}");
    let listed: Value = serde_json::from_str(&installation.run_ok(&["audit", "list", "--json"], "")).unwrap();
    let recorded = query_number(&installation, "SELECT COUNT(*) FROM audit WHERE tenant_id IS NOT NULL");
    assert_eq!(i64::try_from(listed.as_array().unwrap().len()).unwrap(), recorded.min(50));
    let exports = "SELECT COUNT(*) FROM audit WHERE action = 'audit.export' AND tenant_id IS NULL";
    assert_eq!(query_number(&installation, exports), 1, "an export of all tenants is an event of the server");
}
