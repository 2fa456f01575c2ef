//! A seal file that is missing while no event is sealed: only `audit reseal` creates another.

use super::*;

fn remove_seal_file(installation: &Installation) {
    std::fs::remove_file(installation.folder().join("audit.seal")).unwrap();
}

/// Checks that the file stays away, and that it is reported with the remedy until `audit reseal`.
fn assert_reported_until_reseal(installation: &Installation) {
    let doctor = String::from_utf8(installation.run(&["doctor"], "").stdout).unwrap();
    assert!(doctor.contains("FIX   audit") && doctor.contains("audit reseal --yes"), "{doctor}");
    let server = installation.serve();
    wait_until(SEALING_TIMEOUT, "an error in the log", || {
        server.read_log().lines().any(|line| line.contains("ERROR") && line.contains("audit reseal --yes"))
    });
    wait_until(SEALING_TIMEOUT, "the seals of all lines", || {
        query_number(installation, "SELECT COUNT(*) FROM audit WHERE sequence IS NULL") == 0
    });
    let (whole, document) = verify_audit(installation, &[]);
    assert!(!whole && document["fault"]["code"] == "seal_missing", "{document}");
    assert!(document["fault"]["detail"].as_str().unwrap().contains("audit reseal --yes"), "{document}");
    let doctor = String::from_utf8(installation.run(&["doctor"], "").stdout).unwrap();
    assert!(doctor.contains("FIX   audit") && doctor.contains("audit reseal --yes"), "{doctor}");
    assert_eq!(read_seal_file(installation), None, "the server or a command created it");
    drop(server);
    assert_eq!(read_seal_file(installation), None, "the server created it when it stopped");
    installation.run_ok(&["audit", "reseal", "--yes"], "");
    assert!(verify_audit(installation, &[]).0);
    let doctor = String::from_utf8(installation.run(&["doctor"], "").stdout).unwrap();
    assert!(doctor.contains("ok    audit"), "{doctor}");
}

pub(super) fn missing_seal_file_is_reported_before_the_first_start(engine: DatabaseEngine) {
    let installation = Installation::new(engine);
    installation.run_ok(&["init"], "");
    assert!(read_seal_file(&installation).is_some());
    installation.run_ok(&["user", "add", "anna", "--role", "admin"], "a long enough one\n");
    remove_seal_file(&installation);
    // a verification seals events, too
    let (whole, document) = verify_audit(&installation, &[]);
    assert!(!whole && document["fault"]["code"] == "seal_missing", "{document}");
    assert_reported_until_reseal(&installation);
}

/// An installation whose database has events, none of which is sealed any more, and no seal file.
fn installation_without_seals(engine: DatabaseEngine) -> Installation {
    let installation = Installation::with_fixture(engine);
    drop(installation.serve());
    drop_triggers(&installation);
    let empty = match engine {
        DatabaseEngine::Sqlite => "X''",
        DatabaseEngine::Postgres => "''",
    };
    execute_sql(
        &installation,
        &format!("UPDATE audit SET sequence = NULL, hash = NULL; UPDATE audit_seal SET sequence = 0, hash = {empty}"),
    );
    remove_seal_file(&installation);
    installation
}

pub(super) fn missing_seal_file_is_reported_over_a_chain_without_seals(engine: DatabaseEngine) {
    assert_reported_until_reseal(&installation_without_seals(engine));
}

pub(super) fn demo_over_an_existing_database_creates_no_seal_file(engine: DatabaseEngine) {
    let installation = installation_without_seals(engine);
    installation.create_demo_shop();
    assert_eq!(read_seal_file(&installation), None);
    assert_reported_until_reseal(&installation);
}
