//! Apps of vendors that register themselves, on both databases; and the way back to a forgotten password, by a mail server that the
//! test is itself and by the spool folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::json;
use tillgate_tests::{Answer, Engine, Installation, Running, Till, eventually};

const FIRST: &str = "a song in the rain";
const SECOND: &str = "another song entirely";
const PATIENCE: Duration = Duration::from_mins(1);

/// A mail as a mail server receives it.
struct Mail {
    to: String,
    text: String,
}

/// A mail server on loopback (RFC 5321) that hands every mail to the test, but takes none for `gone@` for good and none for `full@` for
/// now.
struct MailServer {
    address: SocketAddr,
    mails: Receiver<Mail>,
}

impl MailServer {
    /// One that is there from now on.
    fn start() -> Self {
        Self::over(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn over(listener: TcpListener) -> Self {
        let (address, (send, mails)) = (listener.local_addr().unwrap(), channel());
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if let Some(mail) = receive(&socket)
                    && send.send(mail).is_err()
                {
                    return;
                }
            }
        });
        Self { address, mails }
    }

    fn next(&self) -> Mail {
        self.mails.recv_timeout(PATIENCE).expect("no mail came")
    }

    fn none(&self) -> bool {
        self.mails.try_recv().is_err()
    }
}

fn receive(socket: &TcpStream) -> Option<Mail> {
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
                mail = Some(Mail { to: to.clone(), text });
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
fn token(text: &str) -> String {
    let token = text.split_once("?token=").unwrap_or_else(|| panic!("no link: {text}")).1;
    token.split_whitespace().next().unwrap().to_owned()
}

struct App {
    till: Till,
}

impl App {
    fn of(server: &Running) -> Self {
        Self { till: server.till() }
    }

    fn auth(&self, call: &str, body: &serde_json::Value) -> Answer {
        self.till.post(&format!("/posstar/api/v1/auth/{call}"), body)
    }

    fn register(&self, email: &str) -> Answer {
        let (name, business) = ("Rita Retail", "Corner Shop");
        let body =
            json!({ "name": name, "email": email, "password": FIRST, "business_name": business, "industry": "retail" });
        self.auth("register", &body)
    }

    fn login(&self, email: &str, password: &str) -> Answer {
        self.auth("login", &json!({ "email": email, "password": password }))
    }

    fn with(&self, token: &str) -> Self {
        let mut till = self.till.clone();
        token.clone_into(&mut till.access);
        Self { till }
    }

    fn me(&self) -> Answer {
        self.till.get("/posstar/api/v1/auth/me")
    }

    fn forgot(&self, email: &str) {
        let answer = self.auth("forgot-password", &json!({ "email": email })).expect(200);
        assert_eq!(answer.text(), r#"{"message":"If the email exists, a reset link has been sent."}"#);
    }

    fn reset(&self, token: &str, password: &str) -> Answer {
        self.auth("reset-password", &json!({ "token": token, "password": password }))
    }
}

fn shop(engine: Engine) -> Installation {
    println!("on {engine:?}");
    let shop = Installation::new(engine).with_setting("LOG__LEVEL", "trace").with_posstar();
    shop.succeed(&["init"], "");
    for secret in [FIRST, SECOND] {
        shop.secrets().note(secret);
    }
    shop.with_setting("MAIL__RESET_LINK", "https://app.example/reset?token={token}")
        .with_setting("MAIL__FROM", "pos@shop.example")
}

fn mailing_to(shop: Installation, server: &MailServer) -> Installation {
    shop.with_setting("MAIL__HOST", "127.0.0.1")
        .with_setting("MAIL__PORT", &server.address.port().to_string())
        .with_setting("MAIL__TLS", "off")
}

#[test]
fn vendors_register_and_work_each_behind_their_wall() {
    for engine in Engine::ALL {
        let shop = shop(engine);
        let server = shop.serve();
        let app = App::of(&server);
        let registered = app.register("rita@example.com").expect(201);
        let first = registered.text_at("/access_token");
        shop.secrets().note(&first);
        let other = app.register("olga@example.com").expect(201);
        assert_ne!(registered.text_at("/user/vendor_id"), other.text_at("/user/vendor_id"));
        assert_eq!(app.register("RITA@example.com").status(), 409);
        let me = app.with(&first).me().expect(200).json();
        assert_eq!(
            (&me["role"], &me["email"], &me["avatar"]),
            (&json!("admin"), &json!("rita@example.com"), &json!(null))
        );
        assert_ne!(me["store_id"], app.with(&other.text_at("/access_token")).me().expect(200).json()["store_id"]);
        let next = app.auth("refresh", &json!({ "token": first })).expect(200).text_at("/access_token");
        shop.secrets().note(&next);
        for token in [&first, &next] {
            app.with(token).me().expect(200);
        }
        assert_eq!(app.login("rita@example.com", SECOND).status(), 401);
        drop(server);
        let server = shop.serve();
        let app = App::of(&server);
        app.with(&next).me().expect(200);
        app.login("Rita@Example.com", FIRST).expect(200);
        // many who register one address at once: one of them has it
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| app.register("crowd@example.com").status())).collect();
            all.into_iter().map(|each| each.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|status| [201, 409].contains(status)), "{answers:?}");
        app.login("crowd@example.com", FIRST).expect(200);
    }
}

#[test]
fn a_forgotten_password_is_reset_by_mail_once() {
    for engine in Engine::ALL {
        let mail = MailServer::start();
        let shop = mailing_to(shop(engine), &mail);
        let server = shop.serve();
        let app = App::of(&server);
        let session = app.register("rita@example.com").expect(201).text_at("/access_token");
        app.forgot("nobody@example.com");
        app.forgot("Rita@example.com");
        let Mail { to, text } = mail.next();
        assert_eq!(to, "rita@example.com");
        assert!(text.contains("From: pos@shop.example") && text.contains("To: rita@example.com"), "{text}");
        let token = token(&text);
        shop.secrets().note(&token);
        app.with(&session).me().expect(200);
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(|| app.reset(&token, SECOND).status())).collect();
            all.into_iter().map(|each| each.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|status| [200, 400].contains(status)), "{answers:?}");
        assert_eq!(app.with(&session).me().status(), 401, "every session ends");
        assert_eq!(app.login("rita@example.com", FIRST).status(), 401);
        app.login("rita@example.com", SECOND).expect(200);
        assert!(mail.none(), "nobody else was mailed");
    }
}

#[test]
fn no_mail_is_lost_while_the_mail_server_is_away_or_ours_dies() {
    for engine in Engine::ALL {
        // the port is kept, and nobody answers: each connection is dropped
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let away = MailServer { address: listener.local_addr().unwrap(), mails: channel().1 };
        drop(listener);
        let shop = mailing_to(shop(engine), &away);
        let server = shop.serve();
        let app = App::of(&server);
        app.register("rita@example.com").expect(201);
        app.forgot("rita@example.com");
        eventually(PATIENCE, "a first attempt", || server.log().contains("is taken up again later"));
        app.login("rita@example.com", FIRST).expect(200);
        server.kill();
        let mail = MailServer::over(TcpListener::bind(away.address).unwrap());
        let server = shop.serve();
        let token = token(&mail.next().text);
        shop.secrets().note(&token);
        App::of(&server).reset(&token, SECOND).expect(200);
    }
}

#[test]
fn sessions_of_a_contract_that_no_mount_serves_are_told_at_the_start() {
    let shop = shop(Engine::Sqlite);
    let server = shop.serve();
    let unserved = |server: &Running| server.log().contains("sessions of a contract that no mount serves");
    App::of(&server).register("rita@example.com").expect(201);
    drop(server);
    let server = shop.serve();
    App::of(&server).login("rita@example.com", FIRST).expect(200);
    assert!(!unserved(&server));
    drop(server);
    std::fs::write(shop.folder().join("tillgate.toml"), "").unwrap();
    let server = shop.serve();
    eventually(PATIENCE, "a warning", || unserved(&server));
    assert_eq!(App::of(&server).login("rita@example.com", FIRST).status(), 404);
}

#[test]
fn a_mail_that_is_refused_for_good_is_given_up_and_one_that_is_not_is_kept() {
    let mail = MailServer::start();
    let shop = mailing_to(shop(Engine::Sqlite), &mail);
    let server = shop.serve();
    let app = App::of(&server);
    for name in ["gone", "full", "rita"] {
        app.register(&format!("{name}@example.com")).expect(201);
        app.forgot(&format!("{name}@example.com"));
    }
    assert_eq!(mail.next().to, "rita@example.com", "no refusal holds up the next mail");
    let lines = |what: &str| server.log().lines().filter(|line| line.contains(what)).count();
    eventually(PATIENCE, "a mail given up", || lines("is refused for good") == 1);
    eventually(PATIENCE, "a mail kept", || lines("is taken up again later") > 0);
    let kept = || lines("is taken up again later");
    let before = kept();
    eventually(PATIENCE, "another attempt with the mail that is kept", || kept() > before);
    assert_eq!(lines("is refused for good"), 1, "and none with the one that was given up");
}

#[test]
fn without_a_mail_server_mail_goes_into_the_spool_folder() {
    let shop = shop(Engine::Sqlite);
    let server = shop.serve();
    let app = App::of(&server);
    app.register("rita@example.com").expect(201);
    app.forgot("rita@example.com");
    let spool = shop.folder().join("spool");
    let mails = || -> Vec<_> {
        let files = std::fs::read_dir(&spool).into_iter().flatten().map(|file| file.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "eml")).collect()
    };
    eventually(PATIENCE, "a mail in the spool folder", || mails().len() == 1);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&spool), mode(&mails()[0])), (0o700, 0o600));
    let token = token(&std::fs::read_to_string(&mails()[0]).unwrap());
    shop.secrets().note(&token);
    eventually(PATIENCE, "a word of it in the log", || server.log().contains("spool folder"));
    app.reset(&token, SECOND).expect(200);
    app.login("rita@example.com", SECOND).expect(200);
}
