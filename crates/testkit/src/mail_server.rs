//! A mail server for tests: it replies to each step as the test says, and records what it received.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A step of a conversation, to which the mail server replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpStep {
    /// A client has connected.
    Connection,
    /// The command `EHLO`.
    Hello,
    /// The command `MAIL FROM`.
    Sender,
    /// The command `RCPT TO`.
    Recipient,
    /// The command `DATA`.
    Data,
    /// The message after `DATA`.
    Message,
}

impl SmtpStep {
    /// The reply of a mail server that accepts everything.
    #[must_use]
    pub fn accepted(self) -> String {
        let reply = match self {
            Self::Connection => "220 mail.example",
            Self::Hello => "250 mail.example",
            Self::Sender | Self::Recipient => "250 2.1.0 ok",
            Self::Data => "354 send the message",
            Self::Message => "250 2.0.0 queued",
        };
        reply.to_owned()
    }

    fn of_command(line: &str) -> Option<Self> {
        match line.get(..4)?.to_ascii_uppercase().as_str() {
            "EHLO" => Some(Self::Hello),
            "MAIL" => Some(Self::Sender),
            "RCPT" => Some(Self::Recipient),
            "DATA" => Some(Self::Data),
            _ => None,
        }
    }
}

/// What a mail server has received.
#[derive(Default)]
struct MailLog {
    steps: Vec<SmtpStep>,
    messages: Vec<String>,
}

/// A running mail server without TLS and logins. Its threads end with the test's process.
pub struct MailServer {
    address: SocketAddr,
    log: Arc<Mutex<MailLog>>,
}

impl MailServer {
    /// Starts the server on a free port. `reply` returns the reply to each step; it may wait.
    pub fn start(reply: impl Fn(SmtpStep) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(MailLog::default()));
        let (record, reply) = (Arc::clone(&log), Arc::new(reply));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (record, reply) = (Arc::clone(&record), Arc::clone(&reply));
                // an error ends the conversation: the client has gone
                std::thread::spawn(move || drop(serve_client(&stream, &record, &*reply)));
            }
        });
        Self { address, log }
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The steps of all conversations so far.
    pub fn steps(&self) -> Vec<SmtpStep> {
        lock(&self.log).steps.clone()
    }

    /// The messages so far, accepted or not.
    pub fn messages(&self) -> Vec<String> {
        lock(&self.log).messages.clone()
    }
}

fn lock(log: &Mutex<MailLog>) -> MutexGuard<'_, MailLog> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve_client(
    stream: &TcpStream,
    log: &Mutex<MailLog>,
    reply: &(dyn Fn(SmtpStep) -> String + Sync),
) -> std::io::Result<()> {
    let write = |mut stream: &TcpStream, reply: &str| stream.write_all(format!("{reply}\r\n").as_bytes());
    let answer = |step: SmtpStep| {
        lock(log).steps.push(step);
        let reply = reply(step);
        write(stream, &reply).map(|()| reply)
    };
    answer(SmtpStep::Connection)?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        match SmtpStep::of_command(&line) {
            Some(SmtpStep::Data) => {
                if answer(SmtpStep::Data)?.starts_with("354") {
                    let message = read_message(&mut reader)?;
                    lock(log).messages.push(message);
                    answer(SmtpStep::Message)?;
                }
            }
            Some(step) => drop(answer(step)?),
            None => return write(stream, "221 2.0.0 bye"),
        }
        line.clear();
    }
    Ok(())
}

/// Reads a message without the line that ends it, and without the dots that were added (RFC 5321,
/// section 4.5.2).
fn read_message(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == ".\r\n" {
            return Ok(message);
        }
        message.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
