//! `init`, `migrate`, `keys`, `backup` and `doctor`.

use serde_json::json;

use crate::tillgate::{Home, PASSWORD, mode};

#[test]
fn nothing_is_made_by_those_who_only_look() {
    let home = Home::new();
    for line in [
        &["user", "list"][..],
        &["keys", "list"],
        &["session", "list"],
        &["migrate", "--check"],
        &["backup", "x.db"],
        &["migrate"],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        let said = home.refused(line, 1);
        assert!(said.contains("there is no database at") && said.contains("tillgate init"), "{line:?}: {said}");
    }
    assert_eq!(home.run(&["doctor"]).code, 1);
    assert!(!home.data().exists());
}

#[test]
fn init_makes_a_database_once() {
    for home in [Home::new(), Home::on_postgres()] {
        let made = home.done(&["init"]);
        assert!(made.out.contains("made the database") && made.out.contains("tillgate user add admin"), "{}", made.out);
        assert!(made.err.contains("bringing the database up to date: "));
        assert_eq!((mode(&home.data()), mode(&home.data().join("master.key"))), (0o700, 0o600));
        assert!(home.refused(&["init"], 1).contains("already"));
        assert_eq!(home.done(&["migrate", "--json"]).json()["ran"], json!([]));
        assert_eq!(home.done(&["migrate", "--check", "--json"]).json()["up_to_date"], true);
        home.start(&["serve"]).ready();
    }
}

/// A volume that is not mounted, a file that was emptied, a wrong address: each would log every till out.
#[test]
fn missing_database_is_never_made_anew_beside_its_key() {
    let home = Home::new().with_admin();
    let (file, aside) = (home.data().join("tillgate.db"), home.path("aside.db"));
    std::fs::rename(&file, &aside).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    for empty in [false, true] {
        if empty {
            std::fs::write(&file, "").unwrap();
        }
        assert!(home.refused(&serve, 1).contains("there is no database at"));
        for left in ["master.key", "audit.seal"] {
            let said = home.refused(&["init"], 1);
            assert!(said.contains(left) && said.contains("belongs to a database"), "{said}");
            std::fs::rename(home.data().join(left), home.path(left)).unwrap();
        }
        for left in ["master.key", "audit.seal"] {
            std::fs::rename(home.path(left), home.data().join(left)).unwrap();
        }
        assert!(!file.exists() || std::fs::metadata(&file).unwrap().len() == 0, "nothing was made");
    }
    std::fs::rename(&aside, &file).unwrap();
    home.start(&["serve"]).ready();
    // the same over an address of PostgreSQL where nothing is
    let url = tillgate_testkit::postgres::create_database();
    let elsewhere = ["serve", "--listen", "127.0.0.1:0", "--database", &url];
    assert!(home.refused(&elsewhere, 1).contains("there is no database at"));
    assert!(home.refused(&["init", "--database", &url], 1).contains("master.key"));
}

#[cfg(unix)]
#[test]
fn replaced_database_is_not_ready_until_it_is_back() {
    let home = Home::new().with_admin();
    let server = home.start(&["serve"]);
    server.ready();
    let (file, aside) = (home.data().join("tillgate.db"), home.path("aside.db"));
    let login = json!({ "login": "admin", "password": PASSWORD });
    std::fs::rename(&file, &aside).unwrap();
    assert_eq!((server.request("GET", "/readyz", None).0, server.login(&login)), (503, 503));
    std::fs::copy(&aside, &file).unwrap();
    assert_eq!((server.request("GET", "/readyz", None).0, server.login(&login)), (503, 503));
    std::fs::rename(&aside, &file).unwrap();
    assert_eq!((server.request("GET", "/readyz", None).0, server.login(&login)), (200, 201));
}

#[test]
fn stopped_server_leaves_everything_in_one_file() {
    let home = Home::new().with_admin();
    let mut server = home.start(&["serve"]);
    assert_eq!(server.login(&json!({ "login": "admin", "password": PASSWORD })), 201);
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
    let log = home.data().join("tillgate.db-wal");
    assert_eq!(std::fs::metadata(log).map_or(0, |found| found.len()), 0);
    let copy = home.path("copy.db");
    std::fs::copy(home.data().join("tillgate.db"), &copy).unwrap();
    let url = format!("sqlite:{}", copy.display());
    let sessions = home.done(&["session", "list", "--json", "--database", &url]).json();
    assert_eq!(sessions.as_array().unwrap().len(), 1);
}

#[test]
fn keys_are_rotated_and_revoked() {
    for home in [Home::new(), Home::on_postgres()] {
        let home = home.with_database();
        let server = home.start(&["serve"]);
        server.ready();
        let states = || {
            let keys = home.done(&["keys", "list", "--json"]).json();
            let mut states: Vec<String> =
                keys.as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect();
            states.sort();
            (states, keys)
        };
        assert_eq!(states().0, ["current", "current"]);
        assert!(home.done(&["keys", "rotate"]).out.starts_with("published, in use from 20"));
        let again = home.refused(&["keys", "rotate"], 1);
        assert!(again.contains("there are new keys already") && again.contains("in use from 20"), "{again}");
        assert_eq!(states().0, ["current", "current", "next", "next"]);
        home.done(&["keys", "rotate", "--now"]);
        let (now, keys) = states();
        assert_eq!(now, ["current", "current", "kept", "kept", "next", "next"]);
        let kept = keys.as_array().unwrap().iter().find(|key| key["state"] == "kept").unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(home.refused(&["keys", "revoke", &kept], 2).contains("--yes"));
        assert_eq!(home.done(&["keys", "revoke", &kept, "--yes", "--json"]).json()["revoked"], json!(kept));
        assert!(home.refused(&["keys", "revoke", &kept, "--yes"], 1).contains("revoked already"));
        assert!(
            home.refused(&["keys", "revoke", "018f3b3e-0000-7000-8000-000000000000", "--yes"], 1)
                .contains("there is no key")
        );
    }
}

#[test]
fn a_backup_is_a_database_that_serves() {
    let home = Home::new().with_admin();
    let server = home.start(&["serve"]);
    server.ready();
    let copy = home.path("copy.db");
    home.done(&["backup", copy.to_str().unwrap()]);
    assert_eq!(mode(&copy), 0o600);
    assert!(home.refused(&["backup", copy.to_str().unwrap()], 1).contains("exists already"));
    drop(server);
    let url = format!("sqlite:{}", copy.display());
    let server = home.start(&["serve", "--database", &url]);
    assert_eq!(server.login(&json!({ "login": "admin", "password": PASSWORD })), 201);
    assert!(Home::on_postgres().with_admin().refused(&["backup", "x.db"], 1).contains("pg_dump"));
}

#[test]
fn the_doctor_finds_nothing_where_all_is_well() {
    for home in [Home::new(), Home::on_postgres()] {
        let home = home.with_admin();
        home.start(&["serve"]).ready();
        let found = home.run(&["doctor", "--json"]);
        assert_eq!(found.code, 0, "{} {}", found.out, found.err);
        assert_eq!(found.json()["healthy"], true);
        home.done(&["doctor", "--accept-clock"]);
        home.done(&["doctor", "--restored"]);
    }
}

/// What the doctor says of the lines without a seal while a server runs, and the users of all tenants by number.
#[test]
fn the_doctor_counts_users_and_sees_the_server_that_runs() {
    for home in [Home::new(), Home::on_postgres()] {
        let home = home.with_admin();
        let found = |check: &str| {
            let document = home.run(&["doctor", "--json"]).json();
            let checks = document["checks"].as_array().unwrap();
            checks.iter().find(|each| each["check"] == check).unwrap().clone()
        };
        assert_eq!(found("users")["found"], "1 user, 1 of them an active administrator");
        let audit = found("audit")["found"].as_str().unwrap().to_owned();
        assert!(audit.ends_with("until a server runs"), "{audit}");
        let server = home.start(&["serve"]);
        server.ready();
        home.done(&["role", "add", "night", "--right", "ticketClose", "--env", "CashRegister"]);
        let audit = found("audit")["found"].as_str().unwrap().to_owned();
        assert!(!audit.contains("until a server runs"), "{audit}");
        assert!(found("configuration")["found"].as_str().unwrap().starts_with("serve would listen on "));
    }
}

#[test]
fn the_doctor_says_how_to_mend() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new().with_admin();
    home.start(&["serve"]).ready();
    let mends = |check: &str| {
        let found = home.run(&["doctor", "--json"]);
        assert_eq!(found.code, 1);
        let found = found.json();
        let of = found["checks"].as_array().unwrap().iter().find(|each| each["check"] == check).unwrap().clone();
        of["mend"].as_str().unwrap_or_else(|| panic!("{check} is well: {found}")).to_owned()
    };
    let key = home.data().join("master.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(mends("master key").contains("chmod 600"));
    std::fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
    assert!(mends("keys").contains("master key"));
    std::fs::write(home.data().join("tillgate.toml"), "[server]\nlisten = \"0.0.0.0:80\"\n").unwrap();
    assert!(mends("configuration").contains("set one of the two"));
    std::fs::write(home.data().join("tillgate.toml"), "[server]\nlisen = 1\n").unwrap();
    assert!(mends("configuration").contains("config/tillgate.toml"));
    std::fs::remove_file(home.data().join("tillgate.toml")).unwrap();
    std::fs::write(home.data().join("tillgate.db"), "not a database").unwrap();
    assert!(!mends("database").is_empty());
}

/// A till refreshes, the database is put back to before that, and the till refreshes again.
#[test]
fn the_doctor_says_that_the_database_went_back() {
    let home = Home::new().with_admin();
    let history = || {
        let found = home.run(&["doctor", "--json"]).json();
        let checks = found["checks"].as_array().unwrap();
        checks.iter().find(|each| each["check"] == "history").unwrap().clone()
    };
    let refresh = |server: &crate::tillgate::Running, token: &str| {
        let (status, body) =
            server.request("POST", "/api/v1/sessions/refresh", Some(&json!({ "refresh_token": token })));
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        (status, body["refresh_token"].as_str().unwrap_or_default().to_owned())
    };
    let server = home.start(&["serve"]);
    server.ready();
    let login = json!({ "login": "admin", "password": PASSWORD });
    let (_, body) = server.request("POST", "/api/v1/sessions", Some(&login));
    let first: serde_json::Value = serde_json::from_str(&body).unwrap();
    let copy = home.path("copy.db");
    home.done(&["backup", copy.to_str().unwrap()]);
    let (status, second) = refresh(&server, first["refresh_token"].as_str().unwrap());
    assert_eq!(status, 200);
    assert_eq!(history()["ok"], true, "nothing is lost yet");
    drop(server);
    for name in ["tillgate.db", "tillgate.db-wal", "tillgate.db-shm"] {
        let _ = std::fs::remove_file(home.data().join(name));
    }
    std::fs::copy(&copy, home.data().join("tillgate.db")).unwrap();
    let server = home.start(&["serve"]);
    server.ready();
    assert_eq!(history()["ok"], true, "no till has come back yet");
    assert_eq!(refresh(&server, &second).0, 200, "the till goes on");
    let told = history();
    assert_eq!(told["ok"], false);
    assert!(told["found"].as_str().unwrap().contains("1 refresh token was ahead of it"), "{told}");
    assert!(told["mend"].as_str().unwrap().contains("tillgate doctor --restored"), "{told}");
    home.done(&["doctor", "--restored"]);
    assert_eq!(history()["ok"], true, "it has been said");
}

#[test]
fn what_nobody_needs_is_removed_by_hand() {
    for home in [Home::new(), Home::on_postgres()] {
        let home = home.with_database();
        let server = home.start(&["serve"]);
        server.ready();
        let swept = home.done(&["sweep", "--json"]).json();
        let nothing = json!({ "sessions": 0, "changes": 0, "attempts": 0, "places": 0, "signatures": 0,
                              "idempotency_keys": 0 });
        assert_eq!(swept, nothing, "nothing is old yet");
        assert!(home.done(&["sweep"]).out.contains("removed: 0 sessions"));
    }
}

#[test]
fn network_is_unlocked_while_the_server_runs_and_the_audit_says_so() {
    for home in [Home::new(), Home::on_postgres()] {
        let home = home.with_admin();
        std::fs::write(home.data().join("tillgate.toml"), "[throttle]\naddress_free = 2\n").unwrap();
        let server = home.start(&["serve"]);
        let right = json!({ "login": "admin", "password": PASSWORD });
        for name in ["nobody", "somebody"] {
            assert_eq!(server.login(&json!({ "login": name, "password": "wrong horse" })), 401);
        }
        assert_eq!(server.login(&right), 429);
        let elsewhere = home.done(&["address", "unlock", "203.0.113.0/24"]).out;
        assert!(elsewhere.starts_with("nothing to unlock: "), "{elsewhere}");
        assert_eq!(server.login(&right), 429);
        assert_eq!(home.done(&["address", "unlock", "127.0.0.1"]).out, "127.0.0.0/24 may log in again\n");
        assert_eq!(server.login(&right), 201);
        let lines = home.done(&["audit", "export", "--all-tenants"]).out;
        let lines: Vec<_> = lines.lines().filter(|line| line.contains("\"unlock\"")).collect();
        assert!(matches!(lines.as_slice(), [line] if line.contains("127.0.0.0/24")), "{lines:?}");
        assert!(home.refused(&["address", "unlock", "10.0.0.0/8"], 2).contains("name a /16 or smaller"));
    }
}
