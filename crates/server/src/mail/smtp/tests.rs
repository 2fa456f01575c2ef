mod encryption;

use tillgate_testkit::{MailServer, SmtpStep};

use super::*;

const TIMEOUTS: SmtpTimeouts =
    SmtpTimeouts { command: Duration::from_secs(2), session: Duration::from_mins(1), message: Duration::from_mins(1) };

fn client(server: &MailServer, timeouts: SmtpTimeouts) -> SmtpServer {
    SmtpServer {
        host: "127.0.0.1".to_owned(),
        port: server.port(),
        hello_name: ClientId::default(),
        tls: ServerTls::Off,
        login: None,
        timeouts,
    }
}

fn send_with(client: &SmtpServer, to: &str, may_send: &dyn Fn() -> bool) -> Result<Response, MailError> {
    let (from, to) = ("till@example.com".parse().unwrap(), to.parse().unwrap());
    let mail = BuiltMail { from: &from, to: &to, message: b"Subject: test\r\n\r\n.A line." };
    client.send(&mail, may_send)
}

fn send_to(server: &MailServer, to: &str, may_send: &dyn Fn() -> bool) -> Result<Response, MailError> {
    send_with(&client(server, TIMEOUTS), to, may_send)
}

fn send(server: &MailServer) -> Result<Response, MailError> {
    send_to(server, "anna@example.com", &|| true)
}

#[test]
fn timeouts_are_at_least_those_of_the_standard() {
    let SmtpTimeouts { command, session, message } = SmtpTimeouts::BACKGROUND;
    assert!(command >= Duration::from_mins(5) && message >= Duration::from_mins(10) && session >= command);
}

/// The mail server needs longer for its last reply than a command may take.
#[test]
fn slow_reply_to_the_message_is_waited_for() {
    let server = MailServer::start(|step| {
        if step == SmtpStep::Message {
            std::thread::sleep(TIMEOUTS.command + Duration::from_secs(1));
        }
        step.accepted()
    });
    assert!(send(&server).unwrap().is_positive());
    assert_eq!(server.messages(), ["Subject: test\r\n\r\n.A line.\r\n"]);
}

#[test]
fn missing_reply_to_a_command_is_a_temporary_error() {
    let server = MailServer::start(|step| {
        if step == SmtpStep::Sender {
            std::thread::sleep(TIMEOUTS.command + Duration::from_secs(2));
        }
        step.accepted()
    });
    let error = send(&server).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.permanent), ("MAIL FROM: no reply in time", false));
    assert_eq!(server.messages(), [""; 0]);
}

#[test]
fn commands_together_have_a_maximum_time() {
    let server = MailServer::start(SmtpStep::accepted);
    let timeouts = SmtpTimeouts { session: Duration::ZERO, ..TIMEOUTS };
    let error = client(&server, timeouts).check(&"till@example.com".parse().unwrap()).unwrap_err();
    assert!(!error.permanent && error.to_string().contains("longer than"), "{error}");
}

#[test]
fn only_a_refusal_of_the_recipient_or_the_message_is_permanent() {
    for (step, reply, named, permanent) in [
        (SmtpStep::Connection, "554 no service here", "connection and EHLO", false),
        (SmtpStep::Hello, "550 go away", "connection and EHLO", false),
        (SmtpStep::Sender, "550 5.1.0 sender rejected", "MAIL FROM", false),
        (SmtpStep::Sender, "553 no such sender", "MAIL FROM", false),
        (SmtpStep::Recipient, "450 4.2.0 greylisted", "RCPT TO", false),
        (SmtpStep::Recipient, "550 5.1.1 no such user", "RCPT TO", true),
        (SmtpStep::Recipient, "550 no such user", "RCPT TO", true),
        (SmtpStep::Recipient, "554 5.7.1 relay access denied", "RCPT TO", false),
        (SmtpStep::Recipient, "530 log in first", "RCPT TO", false),
        (SmtpStep::Recipient, "503 wrong order", "RCPT TO", false),
        (SmtpStep::Data, "554 no valid recipients", "DATA", true),
        (SmtpStep::Data, "451 later", "DATA", false),
        (SmtpStep::Message, "552 too large", "the message", true),
        (SmtpStep::Message, "452 no space", "the message", false),
    ] {
        let server = MailServer::start(move |at| if at == step { reply.to_owned() } else { at.accepted() });
        let error = send(&server).unwrap_err();
        let code = reply.split(' ').next().unwrap();
        assert!(error.to_string().starts_with(named) && error.to_string().contains(code), "{reply}: {error}");
        assert_eq!(error.permanent, permanent, "{reply}: {error}");
    }
}

#[test]
fn nothing_is_sent_after_the_caller_has_stopped_the_mail() {
    let server = MailServer::start(SmtpStep::accepted);
    let error = send_to(&server, "anna@example.com", &|| false).unwrap_err();
    assert!(!error.permanent, "{error}");
    assert_eq!(server.steps().last(), Some(&SmtpStep::Recipient), "no DATA");
}

#[test]
fn address_outside_ascii_requires_a_mail_server_that_accepts_it() {
    let plain = MailServer::start(SmtpStep::accepted);
    let error = send_to(&plain, "žofia@example.com", &|| true).unwrap_err();
    assert!(error.permanent && error.to_string().contains("SMTPUTF8"), "{error}");
    let capable = MailServer::start(|step| match step {
        SmtpStep::Hello => "250-mail.example\r\n250 SMTPUTF8".to_owned(),
        _ => step.accepted(),
    });
    assert!(send_to(&capable, "žofia@example.com", &|| true).is_ok());
}

/// A check goes as far as the sender, and sends no mail.
#[test]
fn check_reports_what_the_mail_server_refuses() {
    let from = "till@example.com".parse().unwrap();
    let accepting = MailServer::start(SmtpStep::accepted);
    assert!(client(&accepting, TIMEOUTS).check(&from).is_ok());
    assert_eq!(accepting.steps(), [SmtpStep::Connection, SmtpStep::Hello, SmtpStep::Sender]);
    let refusing = MailServer::start(|step| match step {
        SmtpStep::Sender => "553 not yours".to_owned(),
        _ => step.accepted(),
    });
    let error = client(&refusing, TIMEOUTS).check(&from).unwrap_err();
    assert!(error.to_string().contains("not yours"), "{error}");
}
