//! Mails to a mail server that refuses them, is slow, or does not answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tillgate_auth_core::{Clock, SystemClock};
use tillgate_domain::office::OfficePorts;
use tillgate_domain::office::ports::QueuedMail;
use tillgate_domain::{Store, StoreExt};
use tillgate_testkit::{MailServer, SmtpStep};

use crate::program::{PASSWORD, RunningServer, TestInstallation};

/// A shop that sends its mails to this mail server, and its running server. The shutdown grace
/// period is `grace`, and an invitation is queued.
fn start_with_invitation(mail_server: &MailServer, grace: &str) -> (TestInstallation, RunningServer) {
    start_with_settings(mail_server, &format!("grace = \"{grace}\"\n[mail]\ntls = \"off\""))
}

/// A shop that sends its mails to this mail server, and its running server. Its settings begin
/// below `[server]` and end below `[mail]`. An invitation is queued.
fn start_with_settings(mail_server: &MailServer, settings: &str) -> (TestInstallation, RunningServer) {
    let home = TestInstallation::new().with_admin();
    home.run_ok_with(&["user", "add", "anna", "--email", "anna@example.com", "--role", "cashier"], PASSWORD);
    let settings = format!(
        "[server]\npublic_url = \"https://pos.example\"\n{settings}\nhost = \"127.0.0.1\"\nport = {}\n",
        mail_server.port()
    );
    std::fs::write(home.data().join("tillgate.toml"), settings).unwrap();
    let server = home.start(&["serve"]);
    server.wait_until_ready();
    home.run_ok(&["user", "invite", "anna", "--mail"]);
    (home, server)
}

/// The queued mails that are due now.
fn list_due_mails(home: &TestInstallation) -> Vec<QueuedMail> {
    let database = home.open_database();
    let store: &dyn Store<OfficePorts> = &database;
    store.read("test", |tx| tx.mail_queue().list_due(SystemClock.now(), 9)).unwrap()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1_200 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("waited in vain for {what}");
}

/// A mail server that does not reply to this step until the sender is used or dropped.
fn start_waiting(at: SmtpStep) -> (MailServer, Sender<()>) {
    let (resume, resumed) = channel();
    let resumed = Mutex::new(resumed);
    let server = MailServer::start(move |step| {
        if step == at {
            let _ = resumed.lock().unwrap().recv();
        }
        step.accepted()
    });
    (server, resume)
}

#[test]
fn mail_is_kept_while_the_mail_server_refuses_the_sender_and_doctor_gives_the_reason() {
    let refuses = Arc::new(AtomicBool::new(true));
    let still_refuses = Arc::clone(&refuses);
    let mail_server = MailServer::start(move |step| match step {
        SmtpStep::Sender if still_refuses.load(Ordering::SeqCst) => "550 5.1.0 this sender is unknown".to_owned(),
        _ => step.accepted(),
    });
    let (home, _server) = start_with_invitation(&mail_server, "10s");
    let mut check = Value::Null;
    wait_until("a failed attempt", || {
        check = home.find_check(&[], "mails");
        check["ok"] == false
    });
    let found = check["found"].as_str().unwrap();
    assert!(found.starts_with("1 queued mail; 1 could not be sent so far;"), "{found}");
    assert!(found.contains("MAIL FROM: permanent error (550)") && found.contains("this sender is unknown"), "{found}");
    assert_eq!(mail_server.messages(), [""; 0]);
    refuses.store(false, Ordering::SeqCst);
    wait_until("the mail", || !mail_server.messages().is_empty());
    let messages = mail_server.messages();
    assert!(messages[0].contains("Subject: Choose your password"), "{messages:?}");
    wait_until("an empty queue", || home.find_check(&[], "mails")["found"] == "no mail with a link is queued");
}

#[test]
fn server_waits_at_its_end_for_the_reply_to_a_mail() {
    let (mail_server, resume) = start_waiting(SmtpStep::Message);
    let (home, mut server) = start_with_invitation(&mail_server, "60s");
    wait_until("the mail", || !mail_server.messages().is_empty());
    server.send_signal("TERM");
    std::thread::sleep(Duration::from_secs(1));
    resume.send(()).unwrap();
    assert_eq!(server.wait_until_ended(), Some(0));
    assert_eq!(home.find_check(&[], "mails")["found"], "no mail with a link is queued");
}

/// The server ends although the mail server does not answer, and the next process does not have to
/// wait until the mail is no longer reserved.
#[test]
fn mail_of_which_nothing_was_sent_is_due_after_the_end_of_the_server() {
    let (mail_server, resume) = start_waiting(SmtpStep::Connection);
    let (home, mut server) = start_with_invitation(&mail_server, "1s");
    wait_until("a connection", || !mail_server.steps().is_empty());
    assert_eq!(list_due_mails(&home), [], "it is reserved");
    server.send_signal("TERM");
    assert_eq!(server.wait_until_ended(), Some(0));
    let mut due = Vec::new();
    wait_until("a mail that is due", || {
        due = list_due_mails(&home);
        !due.is_empty()
    });
    assert!(matches!(due.as_slice(), [mail] if mail.tries == 0), "{due:?}");
    drop(resume);
}

/// The server sends no mail, `mail test` and `doctor` report the reason, and the password for the
/// mail server is nowhere to be seen, even if everything is logged.
#[test]
fn refused_login_is_reported_without_the_password() {
    const MAIL_PASSWORD: &str = "password-of-the-mail-server";
    let mail_server = MailServer::start(|step| match step {
        SmtpStep::Hello => "250-mail.example\r\n250 AUTH PLAIN LOGIN".to_owned(),
        SmtpStep::Login => "535 5.7.8 wrong user name or password".to_owned(),
        _ => step.accepted(),
    });
    let (home, _server) = start_with_settings(
        &mail_server,
        &format!("[log]\nlevel = \"trace\"\n[mail]\ntls = \"off\"\nuser = \"till\"\npassword = \"{MAIL_PASSWORD}\""),
    );
    let reason = "AUTH: permanent error (535): 5.7.8 wrong user name or password; check mail.user";
    let error = home.run_refused(&["mail", "test", "anna@example.com"], 1);
    assert!(error.contains(&format!("did not accept the mail for anna@example.com: {reason}")), "{error}");
    let read_log = || std::fs::read_to_string(home.path("server.log")).unwrap();
    wait_until("a line in the log", || read_log().contains(reason));
    let check = home.find_check(&[], "mails").to_string();
    assert!(check.contains(reason), "{check}");
    let login = STANDARD.encode(format!("\0till\0{MAIL_PASSWORD}"));
    let sent = mail_server.commands().into_iter().find(|command| command.step == SmtpStep::Login);
    assert_eq!(sent.map(|command| command.line), Some(format!("AUTH PLAIN {login}")));
    for text in [error, read_log(), check] {
        assert!(!text.contains(MAIL_PASSWORD) && !text.contains(&login), "{text}");
    }
    assert!(!mail_server.steps().contains(&SmtpStep::Sender));
}

/// The default is `starttls`.
#[test]
fn mail_server_without_starttls_gets_no_mail() {
    let mail_server = MailServer::start(SmtpStep::accepted);
    let (home, _server) = start_with_settings(&mail_server, "[mail]");
    let error = home.run_refused(&["mail", "test", "anna@example.com"], 1);
    assert!(error.contains("STARTTLS: the mail server does not offer it"), "{error}");
    wait_until("a failed attempt", || home.find_check(&[], "mails").to_string().contains("STARTTLS"));
    assert!(mail_server.steps().iter().all(|step| matches!(step, SmtpStep::Connection | SmtpStep::Hello)));
    assert_eq!(mail_server.messages(), [""; 0]);
}
