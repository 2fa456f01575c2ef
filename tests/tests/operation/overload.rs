//! More requests than threads: nothing is done for a request that was rejected.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::json;
use tillgate_tests::{DatabaseEngine, Installation, wait_until};

#[test]
fn abandoned_request_leaves_no_trace() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite)
        .with_setting("SERVER__WORKERS", "1")
        .with_setting("LIMITS__THREADS", "1")
        .with_setting("LIMITS__WAITING", "1")
        .with_setting("LIMITS__REQUEST", "1s")
        .with_setting("DATABASE__DEADLINE", "10s");
    let server = installation.serve();
    let admin = server.new_till().login("admin", "OFFICE");
    admin.get_current_session().expect_status(200);
    let add = &|name: &str| admin.call_once("POST", "/api/v1/users", Some(&json!({ "user_name": name })));
    let mut other = SqliteConnection::establish(installation.folder().join("tillgate.db").to_str().unwrap()).unwrap();
    other.batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").unwrap();
    // the only thread waits for the database
    add("begun").expect_status(503);
    // of two more requests, one waits for the thread until its time is over, and the other is
    // rejected at once
    std::thread::scope(|scope| {
        let ghosts = ["ghost-1", "ghost-2"].map(|name| scope.spawn(move || add(name)));
        for ghost in ghosts {
            ghost.join().unwrap().expect_status(503);
        }
    });
    assert!(server.read_log().contains("too many requests wait for a thread"), "{}", server.read_log());
    assert_eq!(server.new_till().get("/healthz").status(), 200);
    other.batch_execute("ROLLBACK").unwrap();
    let mut names = String::new();
    wait_until(Duration::from_secs(20), "the end of what had begun", || {
        let response = admin.get("/api/v1/users");
        response.text().clone_into(&mut names);
        response.status() == 200
    });
    assert!(names.contains("begun") && !names.contains("ghost"), "{names}");
}
