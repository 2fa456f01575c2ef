//! The command `device enroll`.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use tillgate_testkit::DatabaseEngine;

use crate::program::TestInstallation;

tillgate_testkit::on_both_databases!(
    code_of_a_device_is_printed_once,
    machine_that_shows_no_code_is_not_accepted,
    codes_of_all_tills_are_written_to_a_file
);

fn code_of_a_device_is_printed_once(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.start(&["serve"]).wait_until_ready();
    let started = home.run_ok(&["device", "enroll", "P01"]);
    let code = started.out.trim_end();
    assert!(code.len() == 9 && code.chars().nth(4) == Some('-'), "no QR code without a terminal: {}", started.out);
    assert!(started.err.contains("P01: enter the code at the device until "), "{}", started.err);
    let again = home.run_ok(&["device", "enroll", "P01", "--lifetime", "7d", "--replace", "--json"]).json();
    let third = home.run_ok(&["device", "enroll", "P01"]).err;
    assert!(third.contains("the earlier code, which was valid until "), "{third}");
    assert_eq!((again["code"].as_str().unwrap().len(), &again["replace"]), (14, &json!(true)));
    assert!(
        home.run_refused(&["device", "enroll", "P01", "--lifetime", "31d"], 1)
            .contains("--lifetime must lie between 1m and 30d")
    );
    assert!(home.run_refused(&["device", "enroll", "P02"], 1).contains("did you mean \"P01\"?"));
    home.run_ok(&["device", "status", "P01", "locked"]);
    assert!(home.run_refused(&["device", "enroll", "P01"], 1).contains("the device \"P01\" is locked"));
}

// machines that do are in tests/tests/api/enrollment.rs
fn machine_that_shows_no_code_is_not_accepted(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.start(&["serve"]).wait_until_ready();
    let accept = ["device", "accept", "KQLZ-SGBV", "--device", "P01", "--fingerprint", "4712"];
    assert!(home.run_refused(&accept, 1).contains("machines that show a code are not accepted here"));
    home.run_ok(&["tenant", "set", "--machine-codes", "true"]);
    assert!(home.run_refused(&accept, 1).contains("\"KQLZ-SGBV\" does not exist"));
    let both = home.run_refused(&["device", "accept", "KQLZ-SGBV", "--device", "P02", "--fingerprint", "4712"], 1);
    assert!(both.contains("did you mean \"P01\"?") && both.contains("\"KQLZ-SGBV\" does not exist"), "{both}");
    assert!(home.run_refused(&["device", "deny", "KQLZ-SGBV"], 1).contains("\"KQLZ-SGBV\" does not exist"));
    let waiting = home.run_ok(&["device", "enroll", "P01", "--confirm", "--json"]).json();
    assert_eq!((&waiting["confirm"], &waiting["pending"]), (&json!(true), &json!(null)));
    let next = home.run_ok(&["device", "enroll", "P01", "--confirm"]).err;
    assert!(next.contains("confirm it with tillgate device accept CODE"), "{next}");
}

fn codes_of_all_tills_are_written_to_a_file(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["store", "add", "Station"]);
    for (name, kind, store) in [
        ("P01", "CashRegister", Some("Station")),
        ("P02", "CashRegister", None),
        ("W01", "PDA", Some("Station")),
        ("P03", "CashRegister", Some("Station")),
        ("DESK", "BackOffice", Some("Station")),
    ] {
        let store = store.map(|store| ["--store", store]);
        home.run_ok(
            &[&["device", "add", name, "--env", kind][..], store.as_ref().map_or(&[][..], |both| both)].concat(),
        );
    }
    home.run_ok(&["device", "status", "P03", "locked"]);
    home.start(&["serve"]).wait_until_ready();
    let all = ["device", "enroll", "--all", "--lifetime", "7d", "--output", "codes.csv"];
    let written = home.run_ok(&[&all[..], &["--store", "station", "--json"]].concat()).json();
    assert_eq!(written, json!({ "file": "codes.csv", "codes": 2, "voided": 0, "already_enrolled": 0 }));
    let file = home.path("codes.csv");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let question = "This makes 2 earlier codes void that nobody has used (P01, W01). Nothing was done";
    let before = std::fs::read_to_string(&file).unwrap();
    assert!(home.run_refused(&all, 2).contains(question));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before, "nothing was done");
    let again = home.run_ok(&[&all[..], &["--yes"]].concat());
    assert!(again.out.contains("codes.csv: 3 codes") && again.err.contains("2 earlier codes void"), "{}", again.err);
    let text = std::fs::read_to_string(&file).unwrap();
    let (headings, rows) = text.split_once("\r\n").unwrap();
    assert_eq!(headings, "\u{feff}device,code,expires_at", "once, with a byte order mark");
    let lines: Vec<Vec<&str>> = rows.split_terminator("\r\n").map(|line| line.split(',').collect()).collect();
    let names: Vec<&str> = lines.iter().map(|line| line[0]).collect();
    assert_eq!(names, ["P01", "W01", "P01", "P02", "W01"], "appended");
    assert!(lines.iter().all(|line| line.len() == 3 && line[1].len() == 14), "{text}");
    assert_eq!(lines.iter().map(|line| line[1]).collect::<BTreeSet<_>>().len(), 5, "{text}");
    let plain = ["device", "enroll", "--all", "--yes", "--output", "codes.txt"];
    home.run_ok(&plain);
    assert!(std::fs::read_to_string(home.path("codes.txt")).unwrap().starts_with("device,code,expires_at\r\nP01,"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(
        home.run_refused(&[&all[..], &["--yes"]].concat(), 1).contains("other users of this machine can read the file")
    );
}
