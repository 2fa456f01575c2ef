//! The commands `init`, `migrate`, `keys`, `backup`, `doctor`, `sweep` and `address`.

use clap::CommandFactory;
use serde_json::json;
use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, TestInstallation, file_mode};

#[test]
fn reading_commands_create_nothing() {
    let home = TestInstallation::new();
    for line in [
        &["user", "list"][..],
        &["keys", "list"],
        &["session", "list"],
        &["migrate", "--check"],
        &["backup", "x.db"],
        &["migrate"],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        let error = home.run_refused(line, 1);
        assert!(error.contains("there is no database at") && error.contains("tillgate init"), "{line:?}: {error}");
    }
    assert_eq!(home.run(&["doctor"]).code, 1);
    assert!(!home.data().exists());
}

tillgate_testkit::on_both_databases!(
    init_creates_a_database_once,
    keys_are_rotated_and_revoked,
    doctor_finds_nothing_on_a_healthy_installation,
    doctor_counts_users_and_sees_a_running_server,
    sweep_removes_obsolete_rows,
    network_is_unlocked_while_the_server_runs_and_audited
);

fn init_creates_a_database_once(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine);
    let created = home.run_ok(&["init"]);
    assert!(
        created.out.contains("created the database") && created.out.contains("tillgate user add admin"),
        "{}",
        created.out
    );
    assert!(!created.err.contains("updating the database"), "nothing is updated: {}", created.err);
    assert_eq!((file_mode(&home.data()), file_mode(&home.data().join("master.key"))), (0o700, 0o600));
    assert!(home.run_refused(&["init"], 1).contains("already"));
    assert_eq!(home.run_ok(&["migrate", "--json"]).json()["ran"], json!([]));
    assert_eq!(home.run_ok(&["migrate", "--check", "--json"]).json()["up_to_date"], true);
    home.start(&["serve"]).wait_until_ready();
}

/// Covers a volume that is not mounted, an empty file and a wrong address. A new database would log
/// out every till.
#[test]
fn missing_database_is_not_recreated_beside_its_key() {
    let home = TestInstallation::new().with_admin();
    let (file, aside) = (home.data().join("tillgate.db"), home.path("aside.db"));
    std::fs::rename(&file, &aside).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    for empty in [false, true] {
        if empty {
            std::fs::write(&file, "").unwrap();
        }
        assert!(home.run_refused(&serve, 1).contains("there is no database at"));
        for left in ["master.key", "audit.seal"] {
            let error = home.run_refused(&["init"], 1);
            assert!(error.contains(left) && error.contains("belongs to a database"), "{error}");
            std::fs::rename(home.data().join(left), home.path(left)).unwrap();
        }
        for left in ["master.key", "audit.seal"] {
            std::fs::rename(home.path(left), home.data().join(left)).unwrap();
        }
        assert!(!file.exists() || std::fs::metadata(&file).unwrap().len() == 0, "nothing was created");
    }
    std::fs::rename(&aside, &file).unwrap();
    home.start(&["serve"]).wait_until_ready();
}

/// A valid master key that no database of the tests has.
const FOREIGN_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

/// Commands that do not open the database, that do not stop at a problem, or that replace the keys.
const COMMANDS_WITH_ANY_KEY: [&str; 8] =
    ["init", "doctor", "completions", "version", "manual", "access check", "mail test", "keys recreate"];

/// The examples of all commands without subcommands, as words, without their `--data`.
fn list_examples(command: &clap::Command) -> Vec<Vec<String>> {
    if command.has_subcommands() {
        return command.get_subcommands().flat_map(list_examples).collect();
    }
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let example = help.split_once("Example:\n  tillgate ").map(|(_, example)| example).unwrap_or_default();
    let mut words: Vec<String> = example.split_whitespace().map(str::to_owned).collect();
    if let Some(at) = words.iter().position(|word| word == "--data") {
        words.drain(at..at + 2);
    }
    vec![words]
}

#[test]
fn every_command_stops_if_the_master_key_does_not_open_the_database() {
    let home = TestInstallation::new().with_admin();
    std::fs::write(home.data().join("master.key"), FOREIGN_KEY).unwrap();
    let examples = list_examples(&tillgate_server::Cli::command());
    assert!(examples.len() > 40, "{examples:?}");
    let migrate = vec!["migrate".to_owned()];
    for words in examples.into_iter().chain([migrate]) {
        let line = words.join(" ");
        if COMMANDS_WITH_ANY_KEY.iter().any(|name| line.starts_with(name)) {
            continue;
        }
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        if ["serve", "demo"].contains(&words[0]) {
            words = vec![words[0], "--listen", "127.0.0.1:0"];
        }
        let error = home.run_refused(&words, 1);
        assert!(error.contains("master.key and ") && error.contains(" do not belong together"), "{line}: {error}");
    }
}

#[test]
#[ignore = "requires PostgreSQL"]
fn database_of_another_master_key_is_not_migrated() {
    let home = TestInstallation::on(DatabaseEngine::Postgres).with_admin();
    home.make_older();
    let key = home.data().join("master.key");
    let own = std::fs::read(&key).unwrap();
    std::fs::write(&key, FOREIGN_KEY).unwrap();
    for line in [&["migrate"][..], &["serve", "--listen", "127.0.0.1:0"], &["demo", "--yes", "--listen", "127.0.0.1:0"]]
    {
        let error = home.run_refused(line, 1);
        assert!(error.contains("do not belong together") && !error.contains("updating the database"), "{error}");
    }
    std::fs::write(&key, own).unwrap();
    assert!(home.run_refused(&["migrate", "--check"], 1).contains("not up to date"));
}

#[test]
#[ignore = "requires PostgreSQL"]
fn empty_postgres_database_is_not_used_beside_another_ones_key() {
    let home = TestInstallation::new().with_admin();
    let url = tillgate_testkit::postgres::create_database();
    let elsewhere = ["serve", "--listen", "127.0.0.1:0", "--database", &url];
    assert!(home.run_refused(&elsewhere, 1).contains("there is no database at"));
    assert!(home.run_refused(&["init", "--database", &url], 1).contains("master.key"));
}

#[cfg(unix)]
#[test]
fn replaced_database_is_not_ready_until_restored() {
    let home = TestInstallation::new().with_admin();
    let server = home.start(&["serve"]);
    server.wait_until_ready();
    let (file, aside) = (home.data().join("tillgate.db"), home.path("aside.db"));
    let login = json!({ "login": "admin", "password": PASSWORD });
    std::fs::rename(&file, &aside).unwrap();
    assert_eq!((server.request("GET", "/readyz", None).0, server.login(&login)), (503, 503));
    std::fs::copy(&aside, &file).unwrap();
    assert_eq!((server.request("GET", "/readyz", None).0, server.login(&login)), (503, 503));
    std::fs::rename(&aside, &file).unwrap();
    assert_eq!((server.request("GET", "/readyz", None).0, server.login(&login)), (200, 201));
    let log = home.data().join("tillgate.db-wal");
    std::fs::rename(&log, &aside).unwrap();
    assert_eq!((server.request("GET", "/readyz", None).0, server.login(&login)), (503, 503));
    std::fs::rename(&aside, &log).unwrap();
    assert_eq!((server.request("GET", "/readyz", None).0, server.login(&login)), (200, 201));
}

#[test]
fn stopped_server_leaves_everything_in_one_file() {
    let home = TestInstallation::new().with_admin();
    let mut server = home.start(&["serve"]);
    assert_eq!(server.login(&json!({ "login": "admin", "password": PASSWORD })), 201);
    server.send_signal("TERM");
    assert_eq!(server.wait_until_ended(), Some(0));
    let log = home.data().join("tillgate.db-wal");
    assert_eq!(std::fs::metadata(log).map_or(0, |found| found.len()), 0);
    let copy = home.path("copy.db");
    std::fs::copy(home.data().join("tillgate.db"), &copy).unwrap();
    let url = format!("sqlite:{}", copy.display());
    let sessions = home.run_ok(&["session", "list", "--json", "--database", &url]).json();
    assert_eq!(sessions.as_array().unwrap().len(), 1);
}

/// Also a command that has failed.
#[test]
fn finished_commands_leave_everything_in_one_file() {
    let home = TestInstallation::new().with_admin();
    let run_and_check = |line: &[&str]| {
        let code = home.run_with(line, PASSWORD).code;
        for log in ["tillgate.db-wal", "tillgate.db-shm"] {
            assert!(!home.data().join(log).exists(), "{log} after {line:?}");
        }
        code
    };
    let backup = home.path("copy.db");
    for line in [
        &["device", "add", "P01", "--env", "CashRegister"][..],
        &["user", "add", "anna", "--on", "P01=cashier"],
        &["user", "list"],
        &["user", "set", "anna", "--display-name", "Anna"],
        &["tenant", "add", "bakery"],
        &["token", "generate", "--user", "anna", "--device", "P01"],
        &["session", "end", "--device", "P01", "--yes"],
        &["api-key", "list"],
        &["audit", "list"],
        &["audit", "verify"],
        &["keys", "rotate"],
        &["sweep"],
        &["migrate"],
        &["doctor"],
        &["backup", backup.to_str().unwrap()],
    ] {
        assert_eq!(run_and_check(line), 0, "{line:?}");
    }
    assert_eq!(run_and_check(&["user", "add", "anna"]), 1);
}

fn keys_are_rotated_and_revoked(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_database();
    let server = home.start(&["serve"]);
    server.wait_until_ready();
    let states = || {
        let keys = home.run_ok(&["keys", "list", "--json"]).json();
        let mut states: Vec<String> =
            keys.as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect();
        states.sort();
        (states, keys)
    };
    assert_eq!(states().0, ["current"; 3]);
    assert!(home.run_ok(&["keys", "rotate"]).out.starts_with("published, in use from 20"));
    let again = home.run_refused(&["keys", "rotate"], 1);
    assert!(again.contains("new keys already exist") && again.contains("are used from 20"), "{again}");
    assert_eq!(states().0, ["current", "current", "current", "next", "next", "next"]);
    let note = home.run_ok(&["keys", "rotate", "--now"]).err;
    assert!(note.contains("created earlier replace these from 20") && note.contains("keys revoke"), "{note}");
    let (now, keys) = states();
    assert_eq!(now, [["current"; 3], ["kept"; 3], ["next"; 3]].concat());
    let kept =
        keys.as_array().unwrap().iter().find(|key| key["state"] == "kept").unwrap()["id"].as_str().unwrap().to_owned();
    assert!(home.run_refused(&["keys", "revoke", &kept], 2).contains("--yes"));
    assert_eq!(home.run_ok(&["keys", "revoke", &kept, "--yes", "--json"]).json()["revoked"], json!(kept));
    assert!(home.run_refused(&["keys", "revoke", &kept, "--yes"], 1).contains("already revoked"));
    assert!(
        home.run_refused(&["keys", "revoke", "018f3b3e-0000-7000-8000-000000000000", "--yes"], 1)
            .contains("there is no key")
    );
}

#[test]
fn backup_is_a_database_that_serves() {
    let home = TestInstallation::new().with_admin();
    let server = home.start(&["serve"]);
    server.wait_until_ready();
    let copy = home.path("copy.db");
    home.run_ok(&["backup", copy.to_str().unwrap()]);
    assert_eq!(file_mode(&copy), 0o600);
    assert!(home.run_refused(&["backup", copy.to_str().unwrap()], 1).contains("exists already"));
    drop(server);
    let url = format!("sqlite:{}", copy.display());
    let server = home.start(&["serve", "--database", &url]);
    assert_eq!(server.login(&json!({ "login": "admin", "password": PASSWORD })), 201);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn backup_of_postgres_names_pg_dump() {
    let home = TestInstallation::on(DatabaseEngine::Postgres).with_admin();
    assert!(home.run_refused(&["backup", "x.db"], 1).contains("pg_dump"));
    home.make_older();
    assert!(home.run_refused(&["user", "list"], 1).contains("not up to date"));
    assert!(home.run_refused(&["backup", "x.db"], 1).contains("pg_dump"), "a backup precedes the migration");
}

fn doctor_finds_nothing_on_a_healthy_installation(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.start(&["serve"]).wait_until_ready();
    let found = home.run(&["doctor", "--json"]);
    assert_eq!(found.code, 0, "{} {}", found.out, found.err);
    assert_eq!(found.json()["healthy"], true);
    home.run_ok(&["doctor", "--accept-clock"]);
    home.run_ok(&["doctor", "--restored"]);
}

/// Checks the number of unsealed events beside a running server, and the number of users of all
/// tenants.
fn doctor_counts_users_and_sees_a_running_server(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    let found = |check: &str| {
        let document = home.run(&["doctor", "--json"]).json();
        let checks = document["checks"].as_array().unwrap();
        checks.iter().find(|each| each["check"] == check).unwrap().clone()
    };
    assert_eq!(found("users")["found"], "1 user, 1 active administrator");
    let audit = found("audit")["found"].as_str().unwrap().to_owned();
    assert!(audit.ends_with("until a server runs"), "{audit}");
    let server = home.start(&["serve"]);
    server.wait_until_ready();
    home.run_ok(&["role", "add", "night", "--right", "ticketClose", "--env", "CashRegister"]);
    let audit = found("audit")["found"].as_str().unwrap().to_owned();
    assert!(!audit.contains("until a server runs"), "{audit}");
    assert!(found("configuration")["found"].as_str().unwrap().starts_with("serve would listen on "));
}

#[test]
fn doctor_suggests_remedies() {
    use std::os::unix::fs::PermissionsExt;
    let home = TestInstallation::new().with_admin();
    home.start(&["serve"]).wait_until_ready();
    let remedy_of = |check: &str| {
        let found = home.run(&["doctor", "--json"]);
        assert_eq!(found.code, 1);
        let found = found.json();
        let of = found["checks"].as_array().unwrap().iter().find(|each| each["check"] == check).unwrap().clone();
        of["mend"].as_str().unwrap_or_else(|| panic!("{check} has no remedy: {found}")).to_owned()
    };
    let key = home.data().join("master.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(remedy_of("master key").contains("chmod 600"));
    std::fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
    assert!(remedy_of("keys").contains("master key"));
    std::fs::write(home.data().join("tillgate.toml"), "[server]\nlisten = \"0.0.0.0:80\"\n").unwrap();
    assert!(remedy_of("configuration").contains("set up one of the two"));
    std::fs::write(home.data().join("tillgate.toml"), "[server]\nlisen = 1\n").unwrap();
    assert!(remedy_of("configuration").contains("config/tillgate.toml"));
    std::fs::write(home.data().join("tillgate.toml"), "[server\n").unwrap();
    assert!(remedy_of("configuration").starts_with("correct the file or its path, "));
    std::fs::remove_file(home.data().join("tillgate.toml")).unwrap();
    std::fs::remove_file(&key).unwrap();
    let remedy = remedy_of("master key");
    assert!(remedy.contains("A lost master key") && !remedy.contains("init"), "{remedy}");
    std::fs::write(home.data().join("tillgate.db"), "not a database").unwrap();
    assert!(!remedy_of("database").is_empty());
}

#[test]
fn restore_is_declared_by_a_server_of_the_database_only() {
    let home = TestInstallation::new().with_admin();
    home.start(&["serve"]).wait_until_ready();
    let declarations = || {
        // an event of all tenants
        let events = home.run_ok(&["audit", "export", "--all-tenants", "--action", "store.restored"]).out;
        events.lines().count()
    };
    let (key, seal) = (home.data().join("master.key"), home.data().join("audit.seal"));
    let [own_key, own_seal] = [&key, &seal].map(|path| std::fs::read(path).unwrap());
    std::fs::write(&key, FOREIGN_KEY).unwrap();
    let error = home.run_refused(&["doctor", "--restored"], 1);
    assert!(error.contains("master.key and ") && error.contains(" do not belong together"), "{error}");
    assert_eq!(std::fs::read(&seal).unwrap(), own_seal, "the seal is not set aside");
    std::fs::write(&key, own_key).unwrap();
    assert_eq!(declarations(), 0);
    // a folder without a seal may be one of several servers
    std::fs::remove_file(&seal).unwrap();
    let declared = home.run_ok(&["doctor", "--restored"]);
    let reseal = format!("tillgate audit reseal --yes{}", home.flags());
    for part in ["audit.seal is missing. In a new folder, create it", &reseal, "the --data of every server"] {
        assert!(declared.err.contains(part), "{part}: {}", declared.err);
    }
    assert_eq!(declarations(), 1);
    std::fs::write(&seal, own_seal).unwrap();
    assert!(!home.run_ok(&["doctor", "--restored"]).err.contains("is missing"));
}

/// A till refreshes, the database is restored to the state before, and the till refreshes again.
#[test]
fn doctor_reports_a_rolled_back_database() {
    let home = TestInstallation::new().with_admin();
    let history = || {
        let found = home.run(&["doctor", "--json"]).json();
        let checks = found["checks"].as_array().unwrap();
        checks.iter().find(|each| each["check"] == "history").unwrap().clone()
    };
    let refresh = |server: &crate::program::RunningServer, token: &str| {
        let (status, body) =
            server.request("POST", "/api/v1/sessions/refresh", Some(&json!({ "refresh_token": token })));
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        (status, body["refresh_token"].as_str().unwrap_or_default().to_owned())
    };
    let server = home.start(&["serve"]);
    server.wait_until_ready();
    let login = json!({ "login": "admin", "password": PASSWORD });
    let (_, body) = server.request("POST", "/api/v1/sessions", Some(&login));
    let first: serde_json::Value = serde_json::from_str(&body).unwrap();
    let copy = home.path("copy.db");
    home.run_ok(&["backup", copy.to_str().unwrap()]);
    let (status, second) = refresh(&server, first["refresh_token"].as_str().unwrap());
    assert_eq!(status, 200);
    assert_eq!(history()["ok"], true, "nothing is lost yet");
    drop(server);
    for name in ["tillgate.db", "tillgate.db-wal", "tillgate.db-shm"] {
        let _ = std::fs::remove_file(home.data().join(name));
    }
    std::fs::copy(&copy, home.data().join("tillgate.db")).unwrap();
    let server = home.start(&["serve"]);
    server.wait_until_ready();
    assert_eq!(history()["ok"], true, "no till has refreshed yet");
    assert_eq!(refresh(&server, &second).0, 200, "the till continues");
    let rollback = history();
    assert_eq!(rollback["ok"], false);
    assert!(rollback["found"].as_str().unwrap().contains("1 refresh token was ahead of it"), "{rollback}");
    assert!(rollback["mend"].as_str().unwrap().contains("tillgate doctor --restored"), "{rollback}");
    home.run_ok(&["doctor", "--restored"]);
    assert_eq!(history()["ok"], true, "the restore was declared");
}

fn sweep_removes_obsolete_rows(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_database();
    let server = home.start(&["serve"]);
    server.wait_until_ready();
    let swept = home.run_ok(&["sweep", "--json"]).json();
    let nothing = json!({ "sessions": 0, "changes": 0, "attempts": 0, "places": 0, "signatures": 0,
                          "live_events": 0, "idempotency_keys": 0, "resets": 0, "invitations": 0,
                          "enrollments": 0, "pending_keys": 0, "email_verifications": 0, "queued_mails": 0 });
    assert_eq!(swept, nothing, "nothing is old yet");
    assert!(home.run_ok(&["sweep"]).out.contains("removed: 0 sessions"));
}

fn network_is_unlocked_while_the_server_runs_and_audited(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    std::fs::write(home.data().join("tillgate.toml"), "[throttle]\naddress_free = 2\n").unwrap();
    let server = home.start(&["serve"]);
    let right = json!({ "login": "admin", "password": PASSWORD });
    for name in ["nobody", "somebody"] {
        assert_eq!(server.login(&json!({ "login": name, "password": "wrong horse" })), 401);
    }
    assert_eq!(server.login(&right), 429);
    let elsewhere = home.run_ok(&["address", "unlock", "203.0.113.0/24"]).out;
    assert!(elsewhere.starts_with("nothing to unlock: ") && elsewhere.contains("an IPv4 /24"), "{elsewhere}");
    assert_eq!(server.login(&right), 429);
    assert_eq!(home.run_ok(&["address", "unlock", "127.0.0.1"]).out, "127.0.0.0/24 may log in again\n");
    assert_eq!(server.login(&right), 201);
    let existing = home.path("events.jsonl");
    std::fs::write(&existing, "").unwrap();
    let refused = home.run_refused(&["audit", "export", "--output", existing.to_str().unwrap()], 1);
    assert!(refused.contains("the file exists: choose another name, or remove it"), "{refused}");
    assert!(home.run_refused(&["audit", "list", "--limit", "0"], 2).contains("must be a whole number from 1"));
    let lines = home.run_ok(&["audit", "export", "--all-tenants"]).out;
    let lines: Vec<_> = lines.lines().filter(|line| line.contains("\"unlock\"")).collect();
    assert!(matches!(lines.as_slice(), [line] if line.contains("127.0.0.0/24")), "{lines:?}");
    assert!(home.run_refused(&["address", "unlock", "10.0.0.0/8"], 2).contains("use a /16 or smaller"));
}
