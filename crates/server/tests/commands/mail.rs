//! Mails with a link: from the command line and the spool folder to the page.

use std::io::Write;
use std::time::Duration;

use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, RunningServer, TestInstallation, read_answer};

tillgate_testkit::on_both_databases!(mailed_invitation_sets_a_password_and_verifies_the_address);

/// The text of the only mail in the spool folder, once it is there.
fn read_mail(home: &TestInstallation) -> String {
    for _ in 0..600 {
        let files = std::fs::read_dir(home.data().join("spool")).into_iter().flatten();
        let paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        if let [path] = paths.as_slice()
            && path.extension().is_some_and(|extension| extension == "eml")
        {
            return std::fs::read_to_string(path).unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no mail was written to the spool folder");
}

/// Sends the form of a page as a browser does.
fn send_form(server: &RunningServer, path: &str, form: &str) -> u16 {
    let mut stream = server.connect();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    read_answer(stream).0
}

fn mailed_invitation_sets_a_password_and_verifies_the_address(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok_with(&["user", "add", "anna", "--email", "anna@example.com", "--role", "cashier"], PASSWORD);
    let invite = ["user", "invite", "anna", "--mail", "--json"];
    assert!(home.run_refused(&invite, 1).contains("server.public_url"));
    let config = home.data().join("tillgate.toml");
    std::fs::write(&config, "[server]\npublic_url = \"https://pos.example/till\"\n").unwrap();
    let error = home.run_refused(&["serve", "--listen", "127.0.0.1:0"], 2);
    assert!(error.contains("server.public_url must be the address"), "{error}");
    std::fs::write(&config, "[server]\npublic_url = \"https://pos.example\"\n").unwrap();

    let server = home.start(&["serve"]);
    server.wait_until_ready();
    let invited = home.run_ok(&invite).json();
    assert_eq!(invited["email"], "anna@example.com");
    assert!(invited.as_object().unwrap().keys().eq(["email", "expires_at"]), "{invited}");
    let mail = read_mail(&home);
    assert!(mail.contains("To: anna@example.com") && mail.contains("Subject: Choose your password"), "{mail}");
    let link = mail.lines().find_map(|line| line.strip_prefix("https://pos.example/office/invitation#"));
    let token = link.unwrap_or_else(|| panic!("no link: {mail}"));
    let shown = || home.run_ok(&["user", "show", "anna", "--json"]).json()["email_verified_at"].clone();
    assert!(shown().is_null());
    let form = format!("token={token}&new_password=another+fine+password");
    assert_eq!(send_form(&server, "/office/invitation", &form), 303);
    assert!(shown().is_string());
    let login = serde_json::json!({ "login": "anna", "password": "another fine password" });
    assert_eq!(server.login(&login), 201);
}
