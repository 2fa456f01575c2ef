//! Errors with which a server does not start: at once if no waiting can mend them, and as log lines
//! if the log is in JSON.

use serde_json::Value;
use tillgate_testkit::DatabaseEngine;

use crate::program::{CommandOutput, PASSWORD, TestInstallation};

/// Each is a line of JSON.
fn parse_lines(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn errors_before_the_log_are_json_if_the_log_is() {
    let home = TestInstallation::new().with_database();
    let config = home.path("json.toml");
    let serve = |text: &str| {
        std::fs::write(&config, text).unwrap();
        home.run_refused(&["serve", "--config", config.to_str().unwrap(), "--listen", "127.0.0.1:0"], 2)
    };
    let log = "[log]\nformat = \"json\"\n";
    for (text, why) in [
        (format!("{log}[server]\nlistn = \"x\"\n"), "there is no setting \"server.listn\""),
        (format!("{log}[keys]\nmaster_file = \"/nowhere/at/all\"\n"), "keys.master_file is a file that cannot be read"),
        (format!("{log}level = \"debg\"\n"), "did you mean \"debug\"?"),
        (format!("{log}[[mounts]]\ndialect = \"portos\"\nprefix = \"\"\n[native]\nprefix = \"/api/v1\"\n"), "/api/v1"),
        (format!("{log}[database]\nurl = \"mysql://x\"\n"), "database.url: "),
    ] {
        let errors = serve(&text);
        let lines = parse_lines(&errors);
        let [line] = lines.as_slice() else { panic!("{errors}") };
        assert_eq!((&line["level"], &line["message"]), (&"ERROR".into(), &"the server stops".into()), "{line}");
        assert!(line["error"].as_str().unwrap().contains(why), "{line}");
    }
    // the environment overrides the file; what is no TOML has no format
    let plain = serve("[log]\nformat = \"text\"\nlevl = \"x\"\n");
    assert!(plain.starts_with("tillgate: "), "{plain}");
    assert!(serve("[log]\nformat = \"json\"\n[[").starts_with("tillgate: "));
    let by_variable = |format: &str| -> CommandOutput {
        std::fs::write(&config, "[log]\nformat = \"text\"\nlevl = \"x\"\n").unwrap();
        let line = ["serve", "--config", config.to_str().unwrap()];
        home.run_with_variables(&line, &[("TILLGATE_LOG__FORMAT", format)])
    };
    assert_eq!(parse_lines(&by_variable("json").err).len(), 1);
    assert!(by_variable("text").err.starts_with("tillgate: "));
    // the file in the data folder, and a demo
    std::fs::write(home.data().join("tillgate.toml"), "[log]\nformat = \"json\"\nlevl = \"x\"\n").unwrap();
    for line in [&["serve"][..], &["demo", "--password", PASSWORD]] {
        assert_eq!(parse_lines(&home.run_refused(line, 2)).len(), 1, "{line:?}");
    }
    // other commands have no log
    assert!(home.run_refused(&["user", "list"], 2).starts_with("tillgate: "));
}

#[test]
#[ignore = "requires PostgreSQL"]
fn migrations_of_a_start_are_json_if_the_log_is() {
    let home = TestInstallation::on(DatabaseEngine::Postgres).with_admin();
    home.revert_newest_migration();
    let config = home.path("json.toml");
    std::fs::write(&config, "[log]\nformat = \"json\"\n").unwrap();
    let mut server = home.start(&["serve", "--config", config.to_str().unwrap()]);
    server.wait_until_ready();
    server.send_signal("TERM");
    assert_eq!(server.wait_until_ended(), Some(0));
    let log = std::fs::read_to_string(home.path("server.log")).unwrap();
    let updates = parse_lines(&log).into_iter().filter(|line| line["message"] == "updating the database");
    assert_eq!(updates.filter(|line| line["migration"].is_string()).count(), 1, "{log}");
}

#[test]
fn address_that_libpq_does_not_accept_ends_the_start_at_once() {
    let home = TestInstallation::new();
    for (parameters, why) in [
        ("sslmode=verify-ful", "invalid sslmode value: \"verify-ful\"; did you mean \"verify-full\"?"),
        ("sslmod=require", "invalid URI query parameter: \"sslmod\"; did you mean \"sslmode\"?"),
        ("connect_timeout=soon", "invalid integer value \"soon\" for connection option \"connect_timeout\""),
    ] {
        // nothing listens on the port 1
        let url = format!("postgres://till:geheim@127.0.0.1:1/shop?{parameters}");
        for line in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"], &["init"]] {
            let error = home.run_refused(&[line, &["--database", &url]].concat(), 2);
            assert!(error.trim_end().ends_with(&format!("tillgate: database.url: {why}")), "{line:?}: {error}");
            assert!(!error.contains("retrying") && !error.contains("geheim"), "{line:?}: {error}");
        }
        let found = home.find_check(&["--database", &url], "database");
        assert_eq!(
            (&found["found"], &found["mend"]),
            (&format!("database.url: {why}").into(), &"correct database.url".into())
        );
    }
}
