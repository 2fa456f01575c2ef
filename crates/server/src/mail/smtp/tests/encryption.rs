//! TLS and logins: what a mail server receives in clear, and how a refusal is reported.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::client::Certificate;
use tillgate_domain::Secret;
use tillgate_testkit::SmtpCommand;

use super::*;

const USER: &str = "till@example.com";
const PASSWORD: &str = "password-of-the-mail-server";

/// What a mail server replies to `EHLO` if it offers STARTTLS and logins.
const HELLO_WITH_TLS: &str = "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN";

/// What it replies if it offers logins alone, as somebody between the two can make it seem.
const HELLO_WITHOUT_TLS: &str = "250-mail.example\r\n250 AUTH PLAIN LOGIN";

fn reply_with(
    hello: &'static str,
    start_tls: &'static str,
    login: &'static str,
) -> impl Fn(SmtpStep) -> String + Send + Sync + 'static {
    move |step| match step {
        SmtpStep::Hello => hello.to_owned(),
        SmtpStep::StartTls => start_tls.to_owned(),
        SmtpStep::Login => login.to_owned(),
        _ => step.accepted(),
    }
}

/// A client with a login that trusts the mail servers of the tests, or the public authorities
/// alone.
fn client_with(server: &MailServer, trusts: bool, tls: fn(TlsParameters) -> ServerTls) -> SmtpServer {
    let mut parameters = TlsParameters::builder("localhost".to_owned());
    if trusts {
        parameters = parameters.add_root_certificate(Certificate::from_der(MailServer::certificate_der()).unwrap());
    }
    SmtpServer {
        tls: tls(parameters.build().unwrap()),
        login: Some(Login { user: USER.to_owned(), password: Secret::new(PASSWORD.to_owned()) }),
        ..client(server, TIMEOUTS)
    }
}

fn send_mail(client: &SmtpServer) -> Result<Response, MailError> {
    send_with(client, "anna@example.com", &|| true)
}

/// The step of each command, and whether it was encrypted.
fn encrypted_steps(server: &MailServer) -> Vec<(SmtpStep, bool)> {
    server.commands().iter().map(|command| (command.step, command.encrypted)).collect()
}

fn login_response() -> String {
    STANDARD.encode(format!("\0{USER}\0{PASSWORD}"))
}

#[test]
fn login_and_mail_are_sent_after_starttls() {
    let server = MailServer::start(reply_with(HELLO_WITH_TLS, "220 2.0.0 begin TLS", "235 2.7.0 logged in"));
    assert!(send_mail(&client_with(&server, true, ServerTls::StartTls)).unwrap().is_positive());
    assert_eq!(
        encrypted_steps(&server),
        [
            (SmtpStep::Connection, false),
            (SmtpStep::Hello, false),
            (SmtpStep::StartTls, false),
            (SmtpStep::Hello, true),
            (SmtpStep::Login, true),
            (SmtpStep::Sender, true),
            (SmtpStep::Recipient, true),
            (SmtpStep::Data, true),
            (SmtpStep::Message, true),
        ]
    );
    let commands = server.commands();
    let login = commands.iter().find(|command| command.step == SmtpStep::Login);
    assert_eq!(login.map(|login| login.line.clone()), Some(format!("AUTH PLAIN {}", login_response())));
    assert_eq!(server.messages(), ["Subject: test\r\n\r\n.A line.\r\n"]);
}

#[test]
fn tls_from_the_first_byte_encrypts_every_command() {
    let reply = || reply_with(HELLO_WITHOUT_TLS, "", "235 2.7.0 logged in");
    let server = MailServer::start_with_tls(reply());
    assert!(send_mail(&client_with(&server, true, ServerTls::FromFirstByte)).unwrap().is_positive());
    let commands = server.commands();
    assert!(commands.len() == 7 && commands.iter().all(|command| command.encrypted), "{commands:?}");
    // a mail server without TLS, and one whose certificate nobody has signed
    for (server, trusts) in [(MailServer::start(reply()), true), (MailServer::start_with_tls(reply()), false)] {
        let error = send_mail(&client_with(&server, trusts, ServerTls::FromFirstByte)).unwrap_err();
        assert!(!error.permanent && error.to_string().starts_with("connection and EHLO: "), "{error}");
        check_nothing_sent(&server, &error);
    }
}

/// Checks that neither a login nor a mail was sent, and that the error has no credentials.
fn check_nothing_sent(server: &MailServer, error: &MailError) {
    for SmtpCommand { step, line, .. } in server.commands() {
        assert!(matches!(step, SmtpStep::Connection | SmtpStep::Hello | SmtpStep::StartTls), "{step:?} {line}");
    }
    assert_eq!(server.messages(), [""; 0]);
    assert!(!error.to_string().contains(PASSWORD), "{error}");
}

#[test]
fn nothing_is_sent_without_starttls() {
    for (hello, start_tls, trusts, reason) in [
        (HELLO_WITHOUT_TLS, "220 2.0.0 begin TLS", true, "the mail server does not offer it"),
        (HELLO_WITH_TLS, "454 4.7.0 no TLS at the moment", true, "no TLS at the moment"),
        (HELLO_WITH_TLS, "220 2.0.0 begin TLS", false, "UnknownIssuer"),
    ] {
        let server = MailServer::start(reply_with(hello, start_tls, "235 2.7.0 logged in"));
        let client = client_with(&server, trusts, ServerTls::StartTls);
        let errors = [send_mail(&client).unwrap_err(), client.check(&USER.parse().unwrap()).unwrap_err()];
        for error in &errors {
            assert!(!error.permanent && error.to_string().starts_with("STARTTLS: "), "{error}");
            assert!(error.to_string().contains(reason), "{error}");
            check_nothing_sent(&server, error);
        }
    }
}

#[test]
fn refused_login_is_reported_with_the_reply_and_without_the_credentials() {
    for (hello, login, reason) in [
        (
            HELLO_WITH_TLS,
            "535 5.7.8 wrong user name or password",
            "(535): 5.7.8 wrong user name or password; check mail.user and mail.password",
        ),
        (HELLO_WITH_TLS, "454 4.7.0 try later", "(454): 4.7.0 try later"),
        ("250-mail.example\r\n250 STARTTLS", "", "offers no login by PLAIN or LOGIN"),
    ] {
        let server = MailServer::start(reply_with(hello, "220 2.0.0 begin TLS", login));
        let error = send_mail(&client_with(&server, true, ServerTls::StartTls)).unwrap_err();
        assert!(!error.permanent && error.to_string().starts_with("AUTH: "), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!server.steps().contains(&SmtpStep::Sender), "{:?}", server.steps());
    }
    // some mail servers repeat a command
    let secrets = [PASSWORD.to_owned(), STANDARD.encode(PASSWORD), login_response()];
    for secret in &secrets {
        let reply = format!("500 5.5.1 unknown command: AUTH PLAIN {secret}");
        let server = MailServer::start(move |step| match step {
            SmtpStep::Hello => HELLO_WITH_TLS.to_owned(),
            SmtpStep::Login => reply.clone(),
            _ => step.accepted(),
        });
        let error = send_mail(&client_with(&server, true, ServerTls::StartTls)).unwrap_err();
        assert!(!error.permanent && error.to_string().contains("refused the login"), "{error}");
        assert!(secrets.iter().all(|secret| !error.to_string().contains(secret)), "{error}");
    }
}
