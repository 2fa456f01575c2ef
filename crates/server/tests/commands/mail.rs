//! Mails with a link: from the command line and the spool folder to the page.

use std::io::Write;
use std::time::Duration;

use tillgate_domain::office::OfficePorts;
use tillgate_domain::office::ports::{EmailVerification, Invitation, MailKind, QueuedMail, Reset};
use tillgate_domain::{Email, Instant, ResetId, Store, StoreExt, UserId};
use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, RunningServer, TestInstallation, read_response};

tillgate_testkit::on_both_databases!(
    mailed_invitation_sets_a_password_and_verifies_the_address,
    expired_tokens_and_mails_are_swept
);

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
    read_response(stream).0
}

#[test]
fn test_mail_without_a_mail_server_reports_the_reason() {
    let home = TestInstallation::new();
    let error = home.run_refused(&["mail", "test", "anna@example.com"], 1);
    assert!(error.contains("no mail server is configured") && error.contains("set mail.host"), "{error}");
    assert!(!home.data().exists(), "nothing was created");
    let config = home.path("c.toml");
    // nobody listens on port 1
    std::fs::write(&config, "[mail]\nhost = \"127.0.0.1\"\nport = 1\ntls = \"off\"\n").unwrap();
    let error = home.run_refused(&["mail", "test", "anna@example.com", "--config", config.to_str().unwrap()], 1);
    assert!(error.contains("127.0.0.1 did not accept the mail for anna@example.com: "), "{error}");
    assert!(error.contains("refused"), "{error}");
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

/// A mail is queued, and then the server's public address is taken away: `doctor` reports the mail
/// until its link has expired, and then `sweep` removes it, together with tokens that have expired.
fn expired_tokens_and_mails_are_swept(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok_with(&["user", "add", "anna", "--email", "anna@example.com", "--role", "cashier"], PASSWORD);
    let config = home.data().join("tillgate.toml");
    std::fs::write(&config, "[server]\npublic_url = \"https://pos.example\"\n").unwrap();
    assert_eq!(home.find_check(&[], "mails")["found"], "no mail with a link is queued");
    home.run_ok(&["user", "invite", "anna", "--mail"]);
    let found = home.find_check(&[], "mails");
    assert!(
        found["ok"] == true && found["found"].as_str().unwrap().starts_with("1 queued mail with a link"),
        "{found}"
    );
    std::fs::remove_file(&config).unwrap();
    let found = home.find_check(&[], "mails");
    assert!(found["found"].as_str().unwrap().starts_with("1 queued mail cannot be sent"), "{found}");
    assert!(found["mend"].as_str().unwrap().contains("set server.public_url"), "{found}");

    let sweep = || {
        let swept = home.run_ok(&["sweep", "--json"]).json();
        ["resets", "invitations", "email_verifications", "queued_mails"].map(|name| swept[name].as_u64().unwrap())
    };
    assert_eq!(sweep(), [0, 0, 0, 0], "nothing has expired");
    let user: UserId = home.run_ok(&["user", "show", "anna", "--json"]).json()["id"].as_str().unwrap().parse().unwrap();
    let (email, past) = (Email::parse("anna@example.com").unwrap(), Instant::from_millis(1_000));
    let database = home.open_database();
    let store: &dyn Store<OfficePorts> = &database;
    store
        .write("test", |tx| {
            let email = email.clone();
            let invitation =
                Invitation { digest: [1; 32], user, email: Some(email.clone()), created_at: past, expires_at: past };
            tx.invitations().insert_or_replace(&invitation)?;
            let reset = Reset {
                digest: [2; 32],
                request: ResetId::new(past, [1; 10]),
                user,
                email: email.clone(),
                granted_at: past,
                expires_at: past,
            };
            tx.resets().insert_reset(&reset)?;
            for kind in MailKind::ALL {
                tx.mail_queue().insert_or_replace(&QueuedMail {
                    kind: *kind,
                    user,
                    email: email.clone(),
                    requested_at: past,
                    expires_at: past,
                    due_at: past,
                    tries: 0,
                })?;
            }
            let verification = EmailVerification { digest: [3; 32], user, email, created_at: past, expires_at: past };
            tx.email_verifications().insert_or_replace(&verification)
        })
        .unwrap();
    assert_eq!(home.find_check(&[], "mails")["found"], "no mail with a link is queued");
    assert_eq!((sweep(), sweep()), ([1, 1, 1, 2], [0, 0, 0, 0]));
}
