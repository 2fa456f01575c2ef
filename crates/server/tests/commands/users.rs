//! The command `user`: accounts, passwords and PINs.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, TestInstallation};

tillgate_testkit::on_both_databases!(
    users_are_added_listed_and_suspended,
    generated_password_must_be_changed_at_the_next_login,
    pins_are_drawn_into_a_private_file,
    refusal_reports_the_reason_and_changes_nothing,
    concurrent_removal_of_two_admins_leaves_one
);

fn users_are_added_listed_and_suspended(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    let add = [
        "user",
        "add",
        "Ján",
        "--email",
        "jan@example.com",
        "--role",
        "cashier",
        "--on",
        "p01=cashier,manager",
        "--json",
    ];
    let added = home.run_ok_with(&add, PASSWORD).json();
    assert_eq!(added["user_name"], "Ján");
    assert_eq!(added["devices"], json!([{ "device": "P01", "roles": ["cashier", "manager"] }]));
    assert_eq!(added.as_object().unwrap().get("password"), None);
    home.run_ok(&["user", "status", "JÁN", "suspended"]);
    let listed = home.run_ok(&["user", "list", "--json"]).json();
    let of = |name: &str| listed.as_array().unwrap().iter().find(|user| user["user_name"] == name).unwrap().clone();
    assert_eq!(of("Ján")["status"], "suspended");
    assert_eq!(of("admin")["roles"], json!(["admin"]));
    assert!(home.run_ok(&["user", "list"]).out.contains("cashier P01=cashier,manager"));
    home.run_ok(&["user", "status", "Ján", "active"]);
    home.run_ok(&["user", "unlock", "Ján"]);
    let invited = home.run_ok(&["user", "invite", "Ján"]);
    assert!(invited.out.starts_with("/office/invitation#") && invited.out.trim().len() == 62, "{}", invited.out);
    let invited = home.run_ok(&["user", "invite", "Ján", "--json"]).json();
    assert_eq!(invited["path"], format!("/office/invitation#{}", invited["token"].as_str().unwrap()));
    home.run_ok_with(&["user", "password", "Ján"], "another fine password\n");
    let off = home.run_ok(&["user", "roles", "Ján", "--off", "P01", "--role", "manager", "--json"]).json();
    assert_eq!((off["roles"].clone(), off["devices"].clone()), (json!(["manager"]), json!([])));
    let error = home.run_refused(&["user", "status", "Ján", "deleted"], 2);
    assert!(
        error.contains("This permanently deletes the user \"Ján\" and ends 0 sessions. Nothing was done"),
        "{error}"
    );
    home.run_ok(&["user", "status", "Ján", "deleted", "--yes"]);
    assert!(
        home.run_refused(&["user", "status", "Ján", "active"], 1)
            .contains("the user \"Ján\" was deleted and cannot be restored")
    );
    // the name can be used again
    home.run_ok_with(&["user", "add", "Ján"], PASSWORD);
}

#[test]
fn users_are_shown_and_changed_and_lists_are_filtered() {
    let home = TestInstallation::new().with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "cashregister", "--description", "by the door"]);
    home.run_ok_with(&["user", "add", "anna", "--on", "P01=cashier"], PASSWORD);
    home.run_ok(&["user", "set", "anna", "--email", "anna@example.com", "--display-name", "Anna K."]);
    let shown = home.run_ok(&["user", "show", "anna"]).out;
    for line in
        ["display name: Anna K.", "email:        anna@example.com", "roles:        P01=cashier", "sessions:     0"]
    {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    home.run_ok(&["user", "set", "anna", "--rename", "ann", "--no-email"]);
    assert_eq!(home.run_ok(&["user", "show", "ann", "--json"]).json()["email"], json!(null));
    assert!(home.run_refused(&["user", "set", "ann"], 2).contains("nothing to change"));
    assert!(
        home.run_refused(&["user", "show", "adminn"], 1)
            .contains("there is no user \"adminn\"; did you mean \"admin\"?")
    );
    for (line, expected) in [
        (["user", "roles", "ann", "--role", "adminn"], "there is no role \"adminn\"; did you mean \"admin\"?"),
        (["user", "roles", "ann", "--on", "P02=cashier"], "there is no device \"P02\"; did you mean \"P01\"?"),
        (["user", "roles", "ann", "--on", "P01=cashir"], "there is no role \"cashir\"; did you mean \"cashier\"?"),
        (["device", "set", "P01", "--role", "cashir"], "there is no role \"cashir\"; did you mean \"cashier\"?"),
    ] {
        assert!(home.run_refused(&line, 1).contains(expected), "{line:?}");
    }
    let device = home.run_ok(&["device", "show", "P01"]).out;
    assert!(device.contains("description: by the door") && device.contains("users:       ann"), "{device}");

    let names = |line: &[&str]| {
        let listed = home.run_ok(&[line, &["--json"]].concat()).json();
        let names = listed.as_array().unwrap().iter().map(|user| user["user_name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&["user", "list", "--search", "anna k"]), ["ann"]);
    home.run_ok(&["user", "status", "ann", "deleted", "--yes"]);
    assert_eq!(names(&["user", "list"]), ["admin"]);
    assert_eq!(names(&["user", "list", "--all"]), ["admin", "ann"]);
    assert_eq!(names(&["user", "list", "--status", "deleted"]), ["ann"]);
    let limited = home.run_ok(&["user", "list", "--all", "--limit", "1"]);
    assert!(limited.err.contains("1 more row omitted") && limited.out.lines().count() == 2, "{}", limited.out);
    assert!(home.run_ok(&["device", "list", "--search", "door", "--status", "active"]).out.contains("P01"));
    assert!(!home.run_ok(&["device", "list", "--env", "PDA"]).out.contains("P01"));
    assert!(home.run_refused(&["session", "list", "--user", "nobody"], 1).contains("no user"));
}

#[test]
fn passwords_are_generated_into_a_private_file() {
    let home = TestInstallation::new().with_admin();
    assert!(
        home.run_refused(&["user", "add", "anna", "--role", "cashier", "--generate"], 2).contains("--generate FILE")
    );
    let file = home.path("passwords.txt");
    let path = file.to_str().unwrap();
    for name in ["anna", "jana"] {
        home.run_ok(&["user", "add", name, "--role", "cashier", "--generate", path, "--no-must-change-password"]);
    }
    home.run_refused(&["user", "add", "anna", "--generate", path], 1);
    home.run_ok(&["user", "password", "jana", "--generate", path, "--no-must-change-password"]);
    assert_eq!(crate::program::file_mode(&file), 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('\t').unwrap()).collect();
    assert_eq!(lines.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["anna", "jana", "jana"]);
    let server = home.start(&["serve"]);
    for ((name, password), status) in lines.into_iter().zip([201, 401, 201]) {
        assert_eq!(server.login(&json!({"login": name, "password": password})), status, "{name}");
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(home.run_refused(&["user", "password", "anna", "--generate", path], 1).contains("chmod 600"));
}

fn pins_are_drawn_into_a_private_file(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok_with(&["user", "add", "anna", "--role", "cashier"], PASSWORD);
    assert!(home.run_refused(&["user", "pin", "anna"], 2).contains("--output FILE"), "there is no terminal");
    let removed = home.run_ok(&["user", "pin", "anna", "--remove", "--json"]).json();
    assert_eq!(removed, json!({ "removed": false }), "nothing was set");
    let file = home.path("pins.txt");
    let path = file.to_str().unwrap();
    assert_eq!(home.run_ok(&["user", "pin", "anna", "--output", path, "--json"]).json(), json!({ "due": true }));
    let again = home.run_ok(&["user", "pin", "anna", "--output", path]).out;
    assert_eq!(again, "anna: PIN drawn; the user should set another one\n");
    assert_eq!(crate::program::file_mode(&file), 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('\t').unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|(name, pin)| *name == "anna" && pin.len() == 6 && pin.parse::<u32>().is_ok()), "{text}");
    let events = home.run_ok(&["audit", "export"]).out;
    assert_eq!(events.lines().filter(|line| line.contains("pin.set")).count(), 2, "{events}");
    assert!(lines.iter().all(|(_, pin)| !events.contains(&format!("\"{pin}\""))));
    assert_eq!(home.run_ok(&["user", "pin", "anna", "--remove"]).out, "anna: PIN removed\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(home.run_refused(&["user", "pin", "anna", "--output", path], 1).contains("chmod 600"));
}

fn generated_password_must_be_changed_at_the_next_login(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    let file = home.path("passwords.txt");
    let path = file.to_str().unwrap();
    let added = home.run_ok(&["user", "add", "anna", "--role", "cashier", "--generate", path]).out;
    assert_eq!(added, "anna: added; the password must be changed at the next login\n");
    home.run_ok_with(&["user", "add", "jana", "--role", "cashier", "--must-change-password"], PASSWORD);
    home.run_ok_with(&["user", "add", "eva", "--role", "cashier"], PASSWORD);
    let listed = home.run_ok(&["user", "list", "--json"]).json();
    let required = |name: &str| {
        let user = listed.as_array().unwrap().iter().find(|user| user["user_name"] == name).unwrap();
        user["password_change_required"].clone()
    };
    assert_eq!((required("anna"), required("jana"), required("eva")), (json!(true), json!(true), json!(false)));
    let table = home.run_ok(&["user", "list"]).out;
    let row = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap().contains("must change");
    assert!(row("anna") && row("jana") && !row("eva"), "{table}");
    assert!(home.run_ok(&["user", "show", "anna"]).out.contains("password:     must be changed at the next login"));
    let both = ["user", "set", "eva", "--must-change-password", "--no-must-change-password"];
    assert!(home.run_refused(&both, 2).contains("cannot be used with"));
    let set = home.run_ok(&["user", "set", "eva", "--must-change-password", "--json"]).json();
    assert_eq!(set["password_change_required"], true);
    let set = home.run_ok_with(&["user", "password", "eva", "--json"], "another fine password").json();
    assert_eq!(set["password_change_required"], false, "not required without a flag");

    let generated = std::fs::read_to_string(&file).unwrap();
    let generated = generated.trim_end().split_once('\t').unwrap().1.to_owned();
    let server = home.start(&["serve"]);
    let login = |body: serde_json::Value| server.login(&body);
    assert_eq!(login(json!({ "login": "anna", "password": generated })), 403);
    assert_eq!(login(json!({ "login": "anna", "password": "wrong horse" })), 401);
    let weak = json!({ "login": "anna", "password": generated, "new_password": "anna1984" });
    assert_eq!(login(weak), 422);
    let new = "sea salt and honey";
    assert_eq!(login(json!({ "login": "anna", "password": generated, "new_password": new })), 201);
    assert_eq!(login(json!({ "login": "anna", "password": generated })), 401);
    assert_eq!(login(json!({ "login": "anna", "password": new })), 201);
    assert_eq!(login(json!({ "login": "eva", "password": "another fine password" })), 201);
    assert!(home.run_ok(&["user", "show", "anna"]).out.contains("password:     need not be changed"));
    let lines = home.run_ok(&["audit", "list", "--user", "anna", "--json"]).json();
    let contains = |detail: &str| lines.to_string().contains(detail);
    assert!(contains("\"why\":\"password_change_required\"") && contains("\"why\":\"login\""), "{lines}");
}

fn refusal_reports_the_reason_and_changes_nothing(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    let refused = |line: &[&str], input: &str, reason: &str| {
        let response = home.run_with(line, input);
        assert_eq!(response.code, 1, "{line:?}");
        assert!(response.err.contains(reason) && response.out.is_empty(), "{line:?}: {}", response.err);
    };
    refused(&["user", "status", "admin", "suspended"], "", "last active admin");
    refused(&["user", "roles", "admin", "--role", "cashier"], "", "last active admin");
    refused(&["user", "add", "ADMIN"], PASSWORD, "user_name: \"ADMIN\" is taken");
    refused(&["user", "add", "x", "--role", "boss"], PASSWORD, "there is no role \"boss\"");
    refused(&["user", "add", "x", "--on", "P09=cashier"], PASSWORD, "there is no device \"P09\"");
    refused(&["user", "add", "x"], "short", "at least 8 characters");
    refused(&["user", "add", "x"], "password", "commonest");
    refused(&["user", "list", "--tenant", "elsewhere"], "", "no tenant \"elsewhere\"");
    assert_eq!(home.run(&["user", "add", "x"]).code, 2, "no password on standard input");
    assert_eq!(home.run_ok(&["user", "list", "--json"]).json().as_array().unwrap().len(), 1);
    let error = home.run(&["user", "status", "admin", "suspended", "--json"]).err;
    assert!(serde_json::from_str::<serde_json::Value>(&error).unwrap()["error"].is_string());
}

fn concurrent_removal_of_two_admins_leaves_one(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok_with(&["user", "add", "second", "--role", "admin"], PASSWORD);
    for _ in 0..8 {
        let codes: Vec<i32> = std::thread::scope(|scope| {
            let suspend = |name| home.run(&["user", "status", name, "suspended"]).code;
            let (one, other) = (scope.spawn(move || suspend("admin")), scope.spawn(move || suspend("second")));
            vec![one.join().unwrap(), other.join().unwrap()]
        });
        assert_eq!(codes.iter().sum::<i32>(), 1, "one is refused and one succeeds: {codes:?}");
        for name in ["admin", "second"] {
            home.run_ok(&["user", "status", name, "active"]);
        }
    }
}
