//! A server limits the arenas of glibc's allocator when it starts, so that memory that it has freed
//! is used again.

use tillgate_tests::{DatabaseEngine, Installation, RunningServer};

/// The environment variables of the server.
fn environment(server: &RunningServer) -> Vec<String> {
    let variables = std::fs::read_to_string(format!("/proc/{}/environ", server.pid())).unwrap();
    variables.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn server_starts_itself_again_with_two_arenas() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    let variables = environment(&server);
    assert!(variables.contains(&"MALLOC_ARENA_MAX=2".to_owned()), "{variables:?}");
    // the same process, with the same arguments
    server.new_till().login("cashier", "OFFICE").get_current_session().expect_status(200);
}
