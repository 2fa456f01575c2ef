//! Password resets by mail, which PosStar requests: with a mail server, and with the spool folder.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::Value;
use tillgate_testkit::{MailServer, ReceivedMail, SmtpStep};
use tillgate_tests::{DatabaseEngine, Installation, PosStarClient, assert_counts_once, wait_until};

const MAIL_TIMEOUT: Duration = Duration::from_mins(1);

tillgate_testkit::on_both_databases!(
    forgotten_password_is_reset_by_mail_once,
    mail_survives_failures_of_mail_server_and_process,
    wrong_reset_tokens_are_audited_and_counted
);

/// The token in a mail.
fn find_token(text: &str) -> String {
    let token = text.split_once("?token=").unwrap_or_else(|| panic!("no link: {text}")).1;
    token.split_whitespace().next().unwrap().to_owned()
}

/// An installation that serves PosStar and mails reset tokens with a link.
fn create_installation(engine: DatabaseEngine) -> Installation {
    PosStarClient::create_installation(engine)
        .with_setting("MAIL__RESET_LINK", "https://app.example/reset?token={token}")
        .with_setting("MAIL__FROM", "pos@shop.example")
}

fn with_mail_server(installation: Installation, port: u16) -> Installation {
    installation
        .with_setting("MAIL__HOST", "127.0.0.1")
        .with_setting("MAIL__PORT", &port.to_string())
        .with_setting("MAIL__TLS", "off")
}

/// A mail server that rejects mail to `gone@` permanently and mail to `full@` temporarily.
fn start_mail_server() -> MailServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    MailServer::serve(listener, |step, line| match step {
        SmtpStep::Recipient if line.contains("<gone@") => "550 no such mailbox".to_owned(),
        SmtpStep::Recipient if line.contains("<full@") => "452 too many mails".to_owned(),
        _ => step.accepted(),
    })
}

fn forgotten_password_is_reset_by_mail_once(engine: DatabaseEngine) {
    let mail = start_mail_server();
    let installation = with_mail_server(create_installation(engine), mail.port());
    let server = installation.serve();
    let app = PosStarClient::for_server(&server);
    let session = app.register("rita@example.com").expect_status(201).text_at("/access_token");
    app.forgot("nobody@example.com");
    app.forgot("Rita@example.com");
    let ReceivedMail { to, text } = mail.next_mail();
    assert_eq!(to, "rita@example.com");
    assert!(text.contains("From: pos@shop.example") && text.contains("To: rita@example.com"), "{text}");
    let token = find_token(&text);
    installation.secrets().add(&token);
    app.with_token(&session).get_me().expect_status(200);
    let responses: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> =
            (0..4).map(|_| scope.spawn(|| app.reset(&token, PosStarClient::NEW_PASSWORD).status())).collect();
        all.into_iter().map(|each| each.join().unwrap()).collect()
    });
    assert_counts_once(&responses, 200, &server.read_log());
    assert!(responses.iter().all(|status| [200, 400].contains(status)), "{responses:?}");
    assert_eq!(app.with_token(&session).get_me().status(), 401, "every session ends");
    assert_eq!(app.login("rita@example.com", PosStarClient::PASSWORD).status(), 401);
    app.login("rita@example.com", PosStarClient::NEW_PASSWORD).expect_status(200);
    assert!(mail.has_no_mail(), "nobody else was mailed");
}

fn mail_survives_failures_of_mail_server_and_process(engine: DatabaseEngine) {
    // nobody listens on the port yet
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let installation = with_mail_server(create_installation(engine), address.port());
    let server = installation.serve();
    let app = PosStarClient::for_server(&server);
    app.register("rita@example.com").expect_status(201);
    app.forgot("rita@example.com");
    wait_until(MAIL_TIMEOUT, "a first attempt", || server.read_log().contains("was not sent; retrying later"));
    app.login("rita@example.com", PosStarClient::PASSWORD).expect_status(200);
    server.kill();
    let mail = MailServer::serve(TcpListener::bind(address).unwrap(), |step, _| step.accepted());
    let server = installation.serve();
    let token = find_token(&mail.next_mail().text);
    installation.secrets().add(&token);
    PosStarClient::for_server(&server).reset(&token, PosStarClient::NEW_PASSWORD).expect_status(200);
}

fn wrong_reset_tokens_are_audited_and_counted(engine: DatabaseEngine) {
    let installation = create_installation(engine);
    let mut server = installation.serve();
    let app = PosStarClient::for_server(&server);
    for number in 0..15 {
        assert_eq!(app.reset(&format!("wrong{number}"), PosStarClient::NEW_PASSWORD).status(), 400);
    }
    // a server that stops records what it has only counted
    server.stop();
    let list = ["audit", "list", "--all-tenants", "--action", "one_time_token.use", "--json"];
    let events: Value = serde_json::from_str(&installation.run_ok(&list, "")).unwrap();
    let events = events.as_array().unwrap();
    let is_denial = |event: &Value| event["outcome"] == "refused" && event["details"]["token"] == "password_reset";
    assert!(events.iter().all(is_denial), "{events:?}");
    let times = |event: &Value| event["details"]["times"].as_u64().unwrap_or(1);
    assert_eq!(events.iter().map(times).sum::<u64>(), 15);
    assert!(events.len() < 15, "the first ten of a minute are events of their own: {events:?}");
}

#[test]
fn permanently_refused_mail_is_dropped_and_other_is_retried() {
    let mail = start_mail_server();
    let installation = with_mail_server(create_installation(DatabaseEngine::Sqlite), mail.port());
    let server = installation.serve();
    let app = PosStarClient::for_server(&server);
    for name in ["gone", "full", "rita"] {
        app.register(&format!("{name}@example.com")).expect_status(201);
        app.forgot(&format!("{name}@example.com"));
    }
    assert_eq!(mail.next_mail().to, "rita@example.com", "no refusal holds up the next mail");
    let lines = |what: &str| server.read_log().lines().filter(|line| line.contains(what)).count();
    wait_until(MAIL_TIMEOUT, "a mail given up", || lines("was rejected permanently") == 1);
    wait_until(MAIL_TIMEOUT, "a mail kept", || lines("was not sent; retrying later") > 0);
    let kept = || lines("was not sent; retrying later");
    let before = kept();
    wait_until(MAIL_TIMEOUT, "another attempt with the mail that is kept", || kept() > before);
    assert_eq!(lines("was rejected permanently"), 1, "and none with the one that was given up");
}

#[test]
fn test_mail_reports_what_the_mail_server_answers() {
    let mail = start_mail_server();
    let installation = with_mail_server(create_installation(DatabaseEngine::Sqlite), mail.port());
    let sent = installation.run_ok(&["mail", "test", "rita@example.com"], "");
    assert_eq!(sent, "127.0.0.1 has accepted the mail for rita@example.com: 250 2.0.0 queued\n");
    let ReceivedMail { to, text } = mail.next_mail();
    assert_eq!(to, "rita@example.com");
    assert!(text.contains("From: pos@shop.example") && text.contains("Subject: Test of tillgate"), "{text}");
    for (name, reply) in [("gone", "550): no such mailbox"), ("full", "452): too many mails")] {
        let output = installation.run(&["mail", "test", &format!("{name}@example.com")], "");
        let error = String::from_utf8(output.stderr).unwrap();
        let refused = format!("127.0.0.1 did not accept the mail for {name}@example.com: ");
        assert!(output.status.code() == Some(1) && error.contains(&refused) && error.contains(reply), "{error}");
    }
    assert!(mail.has_no_mail());
}

/// The body of a mail that is encoded as quoted-printable (RFC 2045, section 6.7), as far as a link
/// needs it.
fn decode_body(text: &str) -> String {
    assert!(text.contains("Content-Transfer-Encoding: quoted-printable"), "{text}");
    text.replace("=\r\n", "").replace("=3D", "=")
}

#[test]
fn reset_mail_is_in_the_language_of_the_user() {
    let mail = start_mail_server();
    let installation = with_mail_server(create_installation(DatabaseEngine::Sqlite), mail.port());
    let server = installation.serve();
    let app = PosStarClient::for_server(&server);
    for (email, locale, subject) in [
        ("rita@example.com", None, "Reset your password"),
        ("olga@example.com", Some("sk"), "Obnovenie hesla"),
        ("dewi@example.com", Some("id-ID"), "Atur ulang kata sandi Anda"),
    ] {
        let slugs = list_tenants(&installation);
        app.register(email).expect_status(201);
        let tenants = list_tenants(&installation);
        let [tenant] = tenants.difference(&slugs).collect::<Vec<_>>()[..] else { panic!("{tenants:?}") };
        if let Some(locale) = locale {
            installation.run_ok(&["tenant", "set", "--locale", locale, "--tenant", tenant], "");
        }
        app.forgot(email);
        let ReceivedMail { to, text } = mail.next_mail();
        assert_eq!(to, email);
        assert!(text.contains(&format!("Subject: {subject}\r\n")), "{text}");
        // only the Slovak text is not ASCII
        let token = find_token(&if locale == Some("sk") { decode_body(&text) } else { text });
        installation.secrets().add(&token);
        app.reset(&token, PosStarClient::NEW_PASSWORD).expect_status(200);
    }
}

/// The slugs of all tenants.
fn list_tenants(installation: &Installation) -> BTreeSet<String> {
    let listed = installation.run_ok(&["tenant", "list", "--json"], "");
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    listed.as_array().unwrap().iter().map(|tenant| tenant["slug"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn mail_without_a_mail_server_is_spooled() {
    let installation = create_installation(DatabaseEngine::Sqlite);
    let server = installation.serve();
    let app = PosStarClient::for_server(&server);
    app.register("rita@example.com").expect_status(201);
    app.forgot("rita@example.com");
    let spool = installation.folder().join("spool");
    let mails = || -> Vec<_> {
        let files = std::fs::read_dir(&spool).into_iter().flatten().map(|file| file.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "eml")).collect()
    };
    wait_until(MAIL_TIMEOUT, "a mail in the spool folder", || mails().len() == 1);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&spool), mode(&mails()[0])), (0o700, 0o600));
    let token = find_token(&std::fs::read_to_string(&mails()[0]).unwrap());
    installation.secrets().add(&token);
    wait_until(MAIL_TIMEOUT, "a word of it in the log", || server.read_log().contains("spool folder"));
    app.reset(&token, PosStarClient::NEW_PASSWORD).expect_status(200);
    app.login("rita@example.com", PosStarClient::NEW_PASSWORD).expect_status(200);
}
