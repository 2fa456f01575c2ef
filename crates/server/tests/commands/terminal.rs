//! What commands ask and show on a terminal: confirmations and passwords.

use serde_json::{Value, json};

use crate::program::{PASSWORD, TestInstallation};

#[test]
#[ignore = "requires script"]
fn final_commands_ask_on_a_terminal_and_require_yes_elsewhere() {
    let home = TestInstallation::new().with_admin();
    home.run_ok(&["store", "add", "Station"]);
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.run_ok_with(&["user", "add", "anna", "--on", "P01=cashier"], PASSWORD);
    // its session is permanent
    home.run_ok_with(&["token", "generate", "--user", "anna", "--device", "P01"], PASSWORD);
    let keys = home.run_ok(&["keys", "list", "--json"]).json();
    let key = |kind: &str| {
        let of_kind = keys.as_array().unwrap().iter().find(|key| key["kind"] == kind);
        of_kind.and_then(|key| key["id"].as_str()).unwrap()
    };
    let (signing, refresh) = (key("signing"), key("refresh"));
    let revokes = |kind: &str, id: &str, ends: &str| format!("This revokes the {kind} key {id} and ends {ends}: ");
    let everyone = ["session", "end", "--everyone"];
    for (line, question) in [
        (&everyone[..], "This ends 1 session of the tenant \"default\", 1 of them permanent: "),
        (&["session", "end", "--user", "anna"], "This ends 1 session, 1 of them permanent: every permanent token has"),
        (&["session", "end", "--device", "P01"], "This ends 1 session, 1 of them permanent: every permanent token has"),
        (&["user", "password", "anna"], "A new password ends 1 session, 1 of them permanent: every permanent token"),
        (&["user", "status", "anna", "deleted"], "This permanently deletes the user \"anna\" and ends 1 session"),
        (&["device", "status", "P01", "retired"], "This permanently retires the device \"P01\" and ends 1 session"),
        (&["store", "close", "Station"], "This permanently closes the store \"Station\""),
        (&["keys", "revoke", signing], &revokes("signing", signing, "0 sessions")),
        (&["keys", "revoke", refresh], &revokes("refresh", refresh, "1 session")),
    ] {
        for response in ["n\n", "\n"] {
            let refused = home.run_on_terminal(line, response);
            assert_eq!(refused.code, 1, "{line:?}: {}", refused.out);
            assert!(refused.out.contains(question) && refused.out.contains("[y/N]"), "{line:?}: {}", refused.out);
            assert!(refused.out.contains("canceled; nothing was done"), "{line:?}: {}", refused.out);
        }
        let error = home.run_refused(line, 2);
        assert!(
            error.contains(question) && error.contains("Nothing was done: repeat the command with --yes"),
            "{error}"
        );
    }
    assert_eq!(home.run_ok(&["session", "list", "--json"]).json().as_array().unwrap().len(), 1);
    assert_eq!(home.run_ok(&["user", "show", "anna", "--json"]).json()["status"], "active");
    assert_eq!(home.run_ok(&["device", "show", "P01", "--json"]).json()["status"], "active");
    assert!(home.run_ok(&["store", "list"]).out.contains("Station"));
    assert_eq!(home.run_ok(&["keys", "list", "--json"]).json(), keys);
    let refused = home.run_refused(&["keys", "revoke", refresh, "--json"], 2);
    let refused: Value = serde_json::from_str(&refused).unwrap();
    assert!(refused["error"].as_str().unwrap().contains("and ends 1 session: "), "{refused}");
    let revoked = home.run_ok(&["keys", "revoke", refresh, "--yes", "--json"]).json();
    assert_eq!(revoked, json!({ "revoked": refresh, "ended": 1 }));
    assert_eq!(home.run_ok(&["session", "list", "--json"]).json(), json!([]));

    home.run_ok_with(&["token", "generate", "--user", "anna", "--device", "P01"], PASSWORD);
    let ended = home.run_on_terminal(&everyone, "y\n");
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(ended.out.contains("1 session ended"), "{}", ended.out);
    assert_eq!(home.run_ok(&["session", "list", "--json"]).json(), json!([]));
}

#[test]
#[ignore = "requires script"]
fn passwords_are_checked_repeated_and_shown_once() {
    let home = TestInstallation::new().with_admin();
    let add = |name: &str, flags: &[&str], input: &str| {
        home.run_on_terminal(&[&["user", "add", name, "--role", "admin"][..], flags].concat(), input)
    };
    let short = add("anna", &[], "short\nshort\n");
    assert_eq!(short.code, 1, "{}", short.out);
    assert!(short.out.contains("at least 8 characters") && !short.out.contains("Repeat"), "{}", short.out);
    let different = add("anna", &[], &format!("{PASSWORD}\nanother horse battery\n"));
    assert_eq!(different.code, 1, "{}", different.out);
    assert!(different.out.contains("the passwords do not match"), "{}", different.out);
    let added = add("anna", &[], &format!("{PASSWORD}\n{PASSWORD}\n"));
    assert_eq!(added.code, 0, "{}", added.out);
    let generated = add("jana", &["--generate"], "");
    assert_eq!(generated.code, 0, "{}", generated.out);
    let password = generated.out.split_once("jana: the password is ").unwrap().1.lines().next().unwrap().trim();
    let server = home.start(&["serve"]);
    assert_eq!(server.login(&json!({ "login": "anna", "password": PASSWORD })), 201);
    let change = json!({ "login": "jana", "password": password, "new_password": "another horse battery" });
    assert_eq!(server.login(&change), 201, "the shown password is the right one");
}

#[test]
fn end_of_permanent_sessions_requires_yes() {
    let home = TestInstallation::new().with_admin();
    home.run_ok_with(&["user", "add", "anna"], PASSWORD);
    for device in ["P01", "P02"] {
        home.run_ok(&["device", "add", device, "--env", "CashRegister"]);
    }
    home.run_ok(&["user", "roles", "anna", "--on", "P01=cashier", "--on", "P02=cashier"]);
    let generate = |device: &str| {
        home.run_ok_with(&["token", "generate", "--user", "anna", "--device", device], PASSWORD);
    };
    let refuse = |line: &[&str], question: &str| {
        let refused = home.run_with(line, "another fine password");
        let text = format!("tillgate: {question}: every permanent token has to be generated again. Nothing was done");
        assert_eq!((refused.code, refused.err.contains(&text)), (2, true), "{line:?}: {}", refused.err);
    };
    generate("P01");
    generate("P02");
    refuse(&["session", "end", "--user", "anna"], "This ends 2 sessions, 2 of them permanent");
    refuse(&["session", "end", "--device", "P02"], "This ends 1 session, 1 of them permanent");
    refuse(&["user", "password", "anna"], "A new password ends 2 sessions, 2 of them permanent");
    assert_eq!(home.run_ok(&["session", "end", "--device", "P02", "--yes"]).out, "1 session ended\n");
    generate("P02");
    let changed = home.run_ok_with(&["user", "password", "anna", "--yes"], "another fine password");
    assert_eq!(changed.out, "anna: password changed; 2 sessions ended\n");
    // nothing permanent ends, so nothing is asked
    assert_eq!(home.run_ok(&["session", "end", "--user", "anna"]).out, "0 sessions ended\n");
    let again = home.run_ok_with(&["user", "password", "anna"], "a third fine password");
    assert_eq!(again.out, "anna: password changed; 0 sessions ended\n");
}
