//! Apps of vendors that register themselves, on both databases, and password resets by mail: with a
//! mail server inside the test, and with the spool folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::json;
use tillgate_tests::{DatabaseEngine, Installation, RunningServer, TestResponse, TillClient, wait_until};

const FIRST_PASSWORD: &str = "a song in the rain";
const SECOND_PASSWORD: &str = "another song entirely";
const MAIL_TIMEOUT: Duration = Duration::from_mins(1);

/// A mail as a mail server receives it.
struct ReceivedMail {
    to: String,
    text: String,
}

/// A mail server on loopback (RFC 5321) that passes every mail to the test. It rejects mail to
/// `gone@` permanently and mail to `full@` temporarily.
struct MailServer {
    address: SocketAddr,
    mails: Receiver<ReceivedMail>,
}

impl MailServer {
    /// Starts the mail server.
    fn start() -> Self {
        Self::serve_on(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn serve_on(listener: TcpListener) -> Self {
        let (address, (send, mails)) = (listener.local_addr().unwrap(), channel());
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if let Some(mail) = receive_mail(&socket)
                    && send.send(mail).is_err()
                {
                    return;
                }
            }
        });
        Self { address, mails }
    }

    fn next_mail(&self) -> ReceivedMail {
        self.mails.recv_timeout(MAIL_TIMEOUT).expect("no mail came")
    }

    fn has_no_mail(&self) -> bool {
        self.mails.try_recv().is_err()
    }
}

fn receive_mail(socket: &TcpStream) -> Option<ReceivedMail> {
    let mut say = socket.try_clone().unwrap();
    let mut say = |line: &str| write!(say, "{line}\r\n");
    let mut lines = BufReader::new(socket).lines().map_while(Result::ok);
    let (mut to, mut mail) = (String::new(), None);
    say("220 mail.test").ok()?;
    while let Some(line) = lines.next() {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "RCPT" => {
                line.trim_start_matches("RCPT TO:").trim_matches(['<', '>']).clone_into(&mut to);
                let reply = match to.split('@').next() {
                    Some("gone") => "550 no such mailbox",
                    Some("full") => "452 too many mails",
                    _ => "250 OK",
                };
                say(reply).ok()?;
            }
            "DATA" => {
                say("354 go on").ok()?;
                let text = lines.by_ref().take_while(|line| line != ".").collect::<Vec<_>>().join("\n");
                mail = Some(ReceivedMail { to: to.clone(), text });
                say("250 OK").ok()?;
            }
            "QUIT" => {
                let _ = say("221 bye");
                break;
            }
            _ => say("250 OK").ok()?,
        }
    }
    mail
}

/// The token in a mail.
fn find_token(text: &str) -> String {
    let token = text.split_once("?token=").unwrap_or_else(|| panic!("no link: {text}")).1;
    token.split_whitespace().next().unwrap().to_owned()
}

struct AppClient {
    till: TillClient,
}

impl AppClient {
    fn for_server(server: &RunningServer) -> Self {
        Self { till: server.new_till() }
    }

    fn post_auth(&self, call: &str, body: &serde_json::Value) -> TestResponse {
        self.till.post(&format!("/posstar/api/v1/auth/{call}"), body)
    }

    fn register(&self, email: &str) -> TestResponse {
        let (name, business) = ("Rita Retail", "Corner Shop");
        let body = json!({ "name": name, "email": email, "password": FIRST_PASSWORD, "business_name": business, "industry": "retail" });
        self.post_auth("register", &body)
    }

    fn login(&self, email: &str, password: &str) -> TestResponse {
        self.post_auth("login", &json!({ "email": email, "password": password }))
    }

    fn with_token(&self, token: &str) -> Self {
        let mut till = self.till.clone();
        token.clone_into(&mut till.access);
        Self { till }
    }

    fn get_me(&self) -> TestResponse {
        self.till.get("/posstar/api/v1/auth/me")
    }

    fn forgot(&self, email: &str) {
        let answer = self.post_auth("forgot-password", &json!({ "email": email })).expect_status(200);
        assert_eq!(answer.text(), r#"{"message":"If the email exists, a reset link has been sent."}"#);
    }

    fn reset(&self, token: &str, password: &str) -> TestResponse {
        self.post_auth("reset-password", &json!({ "token": token, "password": password }))
    }
}

fn create_installation(engine: DatabaseEngine) -> Installation {
    let installation = Installation::new(engine).with_setting("LOG__LEVEL", "trace").with_posstar();
    installation.run_ok(&["init"], "");
    for secret in [FIRST_PASSWORD, SECOND_PASSWORD] {
        installation.secrets().add(secret);
    }
    installation
        .with_setting("MAIL__RESET_LINK", "https://app.example/reset?token={token}")
        .with_setting("MAIL__FROM", "pos@shop.example")
}

fn with_mail_server(installation: Installation, server: &MailServer) -> Installation {
    installation
        .with_setting("MAIL__HOST", "127.0.0.1")
        .with_setting("MAIL__PORT", &server.address.port().to_string())
        .with_setting("MAIL__TLS", "off")
}

tillgate_testkit::on_both_databases!(
    tenants_register_and_are_isolated,
    exchanged_token_ends_in_every_process,
    exchanges_in_a_loop_are_limited_over_processes,
    forgotten_password_is_reset_by_mail_once,
    mail_survives_failures_of_mail_server_and_process
);

/// Checks that one of several concurrent requests has succeeded. The answer of that one may have
/// been late: then it was 503, and the client's second request did not succeed.
#[track_caller]
fn assert_counts_once(server: &RunningServer, answers: &[u16], success: u16) {
    let count = answers.iter().filter(|status| **status == success).count();
    assert!(count == 1 || count == 0 && server.read_log().contains("status=503"), "{answers:?}");
}

fn tenants_register_and_are_isolated(engine: DatabaseEngine) {
    let installation = create_installation(engine);
    let server = installation.serve();
    let app = AppClient::for_server(&server);
    let registered = app.register("rita@example.com").expect_status(201);
    let first = registered.text_at("/access_token");
    installation.secrets().add(&first);
    let other = app.register("olga@example.com").expect_status(201);
    assert_ne!(registered.text_at("/user/vendor_id"), other.text_at("/user/vendor_id"));
    assert_eq!(app.register("RITA@example.com").status(), 409);
    let me = app.with_token(&first).get_me().expect_status(200).json();
    assert_eq!((&me["role"], &me["email"], &me["avatar"]), (&json!("admin"), &json!("rita@example.com"), &json!(null)));
    assert_ne!(
        me["store_id"],
        app.with_token(&other.text_at("/access_token")).get_me().expect_status(200).json()["store_id"]
    );
    let next = app.post_auth("refresh", &json!({ "token": first })).expect_status(200).text_at("/access_token");
    installation.secrets().add(&next);
    for token in [&first, &next] {
        app.with_token(token).get_me().expect_status(200);
    }
    assert_eq!(app.login("rita@example.com", SECOND_PASSWORD).status(), 401);
    drop(server);
    let server = installation.serve();
    let app = AppClient::for_server(&server);
    app.with_token(&next).get_me().expect_status(200);
    app.login("Rita@Example.com", FIRST_PASSWORD).expect_status(200);
    // several concurrent registrations of one address: exactly one succeeds
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| app.register("crowd@example.com").status())).collect();
        all.into_iter().map(|each| each.join().unwrap()).collect()
    });
    assert_counts_once(&server, &answers, 201);
    assert!(answers.iter().all(|status| [201, 409].contains(status)), "{answers:?}");
    app.login("crowd@example.com", FIRST_PASSWORD).expect_status(200);
}

/// The number of units of work with this name that the server has run.
fn count_units(server: &RunningServer, name: &str) -> u64 {
    let metrics = server.read_metrics().expect_status(200);
    let label = format!("unit=\"{name}\"");
    let is_count = |line: &&str| line.starts_with("tillgate_unit_of_work_seconds_count{") && line.contains(&label);
    let counts = metrics.text().lines().filter(is_count);
    counts.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
}

fn exchanged_token_ends_in_every_process(engine: DatabaseEngine) {
    let installation = create_installation(engine).with_setting("POSSTAR__OVERLAP", "0s");
    let (one, other) = (installation.serve(), installation.serve());
    let (app, elsewhere) = (AppClient::for_server(&one), AppClient::for_server(&other));
    let exchange = |client: &AppClient, token: &str| {
        client.post_auth("refresh", &json!({ "token": token })).expect_status(200).text_at("/access_token")
    };
    let first = app.register("rita@example.com").expect_status(201).text_at("/access_token");
    let neighbor = elsewhere.login("rita@example.com", FIRST_PASSWORD).expect_status(200).text_at("/access_token");
    let second = exchange(&app, &first);
    for client in [&app, &elsewhere] {
        client.with_token(&first).get_me().expect_status(200);
    }
    elsewhere.with_token(&second).get_me().expect_status(200);
    elsewhere.with_token(&first).get_me().expect_status(401);
    wait_until(Duration::from_secs(2), "the end of the exchanged token in the other process", || {
        app.with_token(&first).get_me().status() == 401
    });
    for client in [&app, &elsewhere] {
        client.with_token(&second).get_me().expect_status(200);
        client.with_token(&neighbor).get_me().expect_status(200);
    }
    // an exchange reads what it needs in its own unit of work
    let reads = || count_units(&one, "authenticate") + count_units(&one, "read_first_uses");
    let before = reads();
    let last = (0..20).fold(second, |token, _| exchange(&app, &token));
    let again = reads() - before;
    assert!(again < 10, "{again} reads in 20 exchanges");
    // the end of a session has effect in both
    elsewhere.with_token(&last).post_auth("logout", &json!({})).expect_status(200);
    elsewhere.with_token(&last).get_me().expect_status(401);
    wait_until(Duration::from_secs(2), "the end of the session in the other process", || {
        app.with_token(&last).get_me().status() == 401
    });
    app.with_token(&neighbor).get_me().expect_status(200);
}

fn exchanges_in_a_loop_are_limited_over_processes(engine: DatabaseEngine) {
    let installation = create_installation(engine);
    let servers = [installation.serve(), installation.serve()];
    let clients = servers.each_ref().map(AppClient::for_server);
    let mut token = clients[0].register("rita@example.com").expect_status(201).text_at("/access_token");
    for number in 1..258 {
        let answer = clients[number % 2].post_auth("refresh", &json!({ "token": token })).expect_status(200);
        token = answer.text_at("/access_token");
    }
    for client in &clients {
        let denied = client.post_auth("refresh", &json!({ "token": token })).expect_status(429);
        assert!(!denied.header("retry-after").is_empty());
        client.with_token(&token).get_me().expect_status(200);
    }
}

fn forgotten_password_is_reset_by_mail_once(engine: DatabaseEngine) {
    let mail = MailServer::start();
    let installation = with_mail_server(create_installation(engine), &mail);
    let server = installation.serve();
    let app = AppClient::for_server(&server);
    let session = app.register("rita@example.com").expect_status(201).text_at("/access_token");
    app.forgot("nobody@example.com");
    app.forgot("Rita@example.com");
    let ReceivedMail { to, text } = mail.next_mail();
    assert_eq!(to, "rita@example.com");
    assert!(text.contains("From: pos@shop.example") && text.contains("To: rita@example.com"), "{text}");
    let token = find_token(&text);
    installation.secrets().add(&token);
    app.with_token(&session).get_me().expect_status(200);
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(|| app.reset(&token, SECOND_PASSWORD).status())).collect();
        all.into_iter().map(|each| each.join().unwrap()).collect()
    });
    assert_counts_once(&server, &answers, 200);
    assert!(answers.iter().all(|status| [200, 400].contains(status)), "{answers:?}");
    assert_eq!(app.with_token(&session).get_me().status(), 401, "every session ends");
    assert_eq!(app.login("rita@example.com", FIRST_PASSWORD).status(), 401);
    app.login("rita@example.com", SECOND_PASSWORD).expect_status(200);
    assert!(mail.has_no_mail(), "nobody else was mailed");
}

fn mail_survives_failures_of_mail_server_and_process(engine: DatabaseEngine) {
    // the port stays open, and nobody answers: each connection is dropped
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let away = MailServer { address: listener.local_addr().unwrap(), mails: channel().1 };
    drop(listener);
    let installation = with_mail_server(create_installation(engine), &away);
    let server = installation.serve();
    let app = AppClient::for_server(&server);
    app.register("rita@example.com").expect_status(201);
    app.forgot("rita@example.com");
    wait_until(MAIL_TIMEOUT, "a first attempt", || server.read_log().contains("was not sent; retrying later"));
    app.login("rita@example.com", FIRST_PASSWORD).expect_status(200);
    server.kill();
    let mail = MailServer::serve_on(TcpListener::bind(away.address).unwrap());
    let server = installation.serve();
    let token = find_token(&mail.next_mail().text);
    installation.secrets().add(&token);
    AppClient::for_server(&server).reset(&token, SECOND_PASSWORD).expect_status(200);
}

#[test]
fn sessions_of_an_unmounted_dialect_are_reported_at_start() {
    let installation = create_installation(DatabaseEngine::Sqlite);
    let server = installation.serve();
    let unserved = |server: &RunningServer| server.read_log().contains("sessions of a dialect that is not mounted");
    AppClient::for_server(&server).register("rita@example.com").expect_status(201);
    drop(server);
    let server = installation.serve();
    AppClient::for_server(&server).login("rita@example.com", FIRST_PASSWORD).expect_status(200);
    assert!(!unserved(&server));
    drop(server);
    std::fs::write(installation.folder().join("tillgate.toml"), "").unwrap();
    let server = installation.serve();
    wait_until(MAIL_TIMEOUT, "a warning", || unserved(&server));
    assert_eq!(AppClient::for_server(&server).login("rita@example.com", FIRST_PASSWORD).status(), 404);
}

#[test]
fn permanently_refused_mail_is_dropped_and_other_is_retried() {
    let mail = MailServer::start();
    let installation = with_mail_server(create_installation(DatabaseEngine::Sqlite), &mail);
    let server = installation.serve();
    let app = AppClient::for_server(&server);
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
    let mail = MailServer::start();
    let installation = with_mail_server(create_installation(DatabaseEngine::Sqlite), &mail);
    let sent = installation.run_ok(&["mail", "test", "rita@example.com"], "");
    assert_eq!(sent, "127.0.0.1 has accepted the mail for rita@example.com: 250 OK\n");
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
    text.replace("=\n", "").replace("=3D", "=")
}

#[test]
fn reset_mail_is_in_the_language_of_the_user() {
    let mail = MailServer::start();
    let installation = with_mail_server(create_installation(DatabaseEngine::Sqlite), &mail);
    let server = installation.serve();
    let app = AppClient::for_server(&server);
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
        assert!(text.contains(&format!("Subject: {subject}\n")), "{text}");
        // only the Slovak text is not ASCII
        let token = find_token(&if locale == Some("sk") { decode_body(&text) } else { text });
        installation.secrets().add(&token);
        app.reset(&token, SECOND_PASSWORD).expect_status(200);
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
    let app = AppClient::for_server(&server);
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
    app.reset(&token, SECOND_PASSWORD).expect_status(200);
    app.login("rita@example.com", SECOND_PASSWORD).expect_status(200);
}
