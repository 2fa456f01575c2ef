//! Many events without a seal, as after an import: they are sealed in small batches beside other
//! work, and the end of the process does not wait for them.

use tillgate_testkit::is_thorough;

use super::*;

/// The number of unsealed events.
fn backlog_size() -> i64 {
    if is_thorough() { 1_000_000 } else { 20_000 }
}

/// How many events may be sealed between a signal and the end of the process: its last batches, and
/// those that a busy machine begins before it receives the signal.
const MAX_SEALED_AFTER_SIGNAL: i64 = 64 * 48;

/// How fast a process ends: within two seconds, and in this test on a machine that is busy.
const MAX_SHUTDOWN_TIME: Duration = Duration::from_secs(10);

/// Inserts copies of the oldest event, without seals.
fn insert_unsealed_events(installation: &Installation, count: i64) {
    let id = match installation.engine() {
        DatabaseEngine::Sqlite => "unhex('01900000000070008fff' || printf('%012x', i))",
        DatabaseEngine::Postgres => "decode('01900000000070008fff' || lpad(to_hex(i), 12, '0'), 'hex')",
    };
    let columns = "tenant_id, user_id, device_id, session_id, address, action, subject, subject_id, outcome, details";
    execute_sql(
        installation,
        &format!(
            "WITH RECURSIVE series(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < {count})
            INSERT INTO audit (id, at, {columns})
            SELECT {id}, at, {columns} FROM series, (SELECT * FROM audit ORDER BY id LIMIT 1) AS old"
        ),
    );
}

tillgate_testkit::on_both_databases!(backlog_is_sealed_in_batches_that_the_end_of_the_process_does_not_wait_for);

fn backlog_is_sealed_in_batches_that_the_end_of_the_process_does_not_wait_for(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    drop(installation.serve());
    let before = query_number(&installation, "SELECT COUNT(*) FROM audit WHERE sequence IS NOT NULL");
    insert_unsealed_events(&installation, backlog_size());
    let sealed = || query_number(&installation, "SELECT sequence FROM audit_seal") - before;
    for round in 1..=2 {
        let from = sealed();
        let mut server = installation.serve();
        wait_until(SEALING_TIMEOUT * 3, "the first batches", || sealed() > from + 128);
        server.new_till().login("cashier", "P01").get_current_session().expect_status(200);
        let signaled = sealed();
        assert!(backlog_size() - signaled > MAX_SEALED_AFTER_SIGNAL * 2, "round {round}: all but sealed: {signaled}");
        let begun = tillgate_tests::now();
        assert!(server.stop().success());
        assert!(begun.elapsed() < MAX_SHUTDOWN_TIME, "round {round}: it ended after {:?}", begun.elapsed());
        let after = sealed() - signaled;
        assert!(after <= MAX_SEALED_AFTER_SIGNAL, "round {round}: {after} lines were sealed before the end");
    }
    if !is_thorough() {
        let (whole, document) = verify_audit(&installation, &[]);
        assert!(whole, "{document}");
        assert!(document["lines"].as_i64().unwrap() > before + backlog_size(), "{document}");
    }
}
