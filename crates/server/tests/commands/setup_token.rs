//! The one-time token for the set-up of the first administrator: in a file, on a terminal, and the
//! command `setup-token`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, TestInstallation, file_mode};

tillgate_testkit::on_both_databases!(token_is_kept_in_a_private_file_until_a_user_exists);

/// The token is not printed to a pipe, which may be a log.
fn token_is_kept_in_a_private_file_until_a_user_exists(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_database();
    let file = home.data().join("setup-token");
    let start = || {
        let mut server = home.start(&["serve"]);
        let lines = [server.read_line(), server.read_line(), server.read_line()];
        server.send_signal("TERM");
        assert_eq!(server.wait_until_ended(), Some(0));
        lines
    };
    let lines = start();
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!((token.trim().len(), file_mode(&file)), (26, 0o600));
    assert!(lines[2].contains("/office/set-up") && lines[2].ends_with(file.to_str().unwrap()), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains(token.trim())), "{lines:?}");
    start();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), token, "the same token at the next start");

    let drawn = home.run_ok(&["setup-token"]).out;
    let link = drawn.trim().strip_prefix("Open http://127.0.0.1:8080/office/set-up#").unwrap();
    assert!(link.len() == 26 && link != token.trim(), "{drawn}");
    assert!(!file.exists(), "the file had the previous token");
    let drawn = home.run_ok(&["setup-token", "--json"]).json();
    assert_eq!(drawn["page"], "http://127.0.0.1:8080/office/set-up");
    assert_ne!(drawn["token"].as_str().unwrap(), link);
    start();
    assert_eq!(file_mode(&file), 0o600, "a token that cannot be shown again is replaced");

    let config = home.data().join("tillgate.toml");
    std::fs::write(&config, "[server]\npublic_url = \"https://pos.example\"\n").unwrap();
    let drawn = home.run_ok(&["setup-token"]).out;
    assert!(drawn.starts_with("Open https://pos.example/office/set-up#"), "{drawn}");
    let lines = start();
    assert!(lines[2].contains("https://pos.example/office/set-up"), "{lines:?}");

    home.run_ok_with(&["user", "add", "admin", "--role", "admin"], PASSWORD);
    assert!(home.run_refused(&["setup-token"], 1).contains("a user exists already"));
    let mut server = home.start(&["serve"]);
    assert_eq!(server.request("GET", "/office/set-up", None).0, 404);
    assert!(!file.exists(), "nobody needs it any more");
    server.send_signal("TERM");
    assert_eq!(server.wait_until_ended(), Some(0));
}

#[test]
#[ignore = "requires script (util-linux)"]
fn terminal_shows_the_link_and_no_file_is_written() {
    let home = TestInstallation::new().with_database();
    let data = home.data();
    let program = env!("CARGO_BIN_EXE_tillgate");
    // SIGHUP, which a closed terminal sends, does not stop a server
    let line = format!("echo $$; exec '{program}' serve --listen 127.0.0.1:0 --data '{}'", data.display());
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = terminal.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let process = lines.next().unwrap();
    let link = lines.find(|line| line.starts_with("Open http://127.0.0.1:"));
    assert!(Command::new("kill").args(["-TERM", process.trim()]).status().unwrap().success());
    child.wait().unwrap();
    let link = link.unwrap();
    let (_, token) = link.trim().split_once("/office/set-up#").unwrap();
    assert_eq!(token.len(), 26, "{link}");
    assert!(!data.join("setup-token").exists());
}
