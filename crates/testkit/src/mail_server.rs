//! A mail server for tests: it replies to each step as the test says, and records what it received.

mod tls;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a test waits for a mail.
const MAIL_TIMEOUT: Duration = Duration::from_mins(1);

/// A step of a conversation, to which the mail server replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpStep {
    /// A client has connected.
    Connection,
    /// The command `EHLO`. A reply that offers `STARTTLS` or `AUTH PLAIN` is up to the test.
    Hello,
    /// The command `STARTTLS`. TLS begins after a reply with the code 220.
    StartTls,
    /// The command `AUTH`.
    Login,
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
    /// The reply of a mail server that accepts everything, and offers neither TLS nor logins.
    #[must_use]
    pub fn accepted(self) -> String {
        let reply = match self {
            Self::Connection => "220 mail.example",
            Self::Hello => "250 mail.example",
            Self::StartTls => "220 2.0.0 begin TLS",
            Self::Login => "235 2.7.0 logged in",
            Self::Sender | Self::Recipient => "250 2.1.0 ok",
            Self::Data => "354 send the message",
            Self::Message => "250 2.0.0 queued",
        };
        reply.to_owned()
    }

    fn of_command(line: &str) -> Option<Self> {
        match line.get(..4)?.to_ascii_uppercase().as_str() {
            "EHLO" => Some(Self::Hello),
            "STAR" => Some(Self::StartTls),
            "AUTH" => Some(Self::Login),
            "MAIL" => Some(Self::Sender),
            "RCPT" => Some(Self::Recipient),
            "DATA" => Some(Self::Data),
            _ => None,
        }
    }
}

/// A command as the mail server received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpCommand {
    /// The step of the conversation to which it belongs.
    pub step: SmtpStep,
    /// Its line, without the line break; empty for a connection and a message.
    pub line: String,
    /// Whether it was sent over TLS.
    pub encrypted: bool,
}

/// A mail that the mail server has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedMail {
    /// The address in `RCPT TO`.
    pub to: String,
    /// The message with its header.
    pub text: String,
}

/// What a mail server has received.
#[derive(Default)]
struct MailLog {
    commands: Vec<SmtpCommand>,
    messages: Vec<String>,
}

type Reply = dyn Fn(SmtpStep, &str) -> String + Send + Sync;

/// A running mail server. Its threads end with the test's process.
pub struct MailServer {
    address: SocketAddr,
    log: Arc<Mutex<MailLog>>,
    mails: Mutex<Receiver<ReceivedMail>>,
}

impl MailServer {
    /// Starts the server on a free port. `reply` returns the reply to each step; it may wait.
    pub fn start(reply: impl Fn(SmtpStep) -> String + Send + Sync + 'static) -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").unwrap(), move |step, _| reply(step))
    }

    /// Starts the server on a free port, with TLS from the first byte.
    pub fn start_with_tls(reply: impl Fn(SmtpStep) -> String + Send + Sync + 'static) -> Self {
        Self::run(TcpListener::bind("127.0.0.1:0").unwrap(), true, Arc::new(move |step, _: &str| reply(step)))
    }

    /// Starts the server on a socket. `reply` returns the reply to each step with its line, as in
    /// [`SmtpCommand`]; it may wait.
    pub fn serve(listener: TcpListener, reply: impl Fn(SmtpStep, &str) -> String + Send + Sync + 'static) -> Self {
        Self::run(listener, false, Arc::new(reply))
    }

    fn run(listener: TcpListener, encrypted: bool, reply: Arc<Reply>) -> Self {
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(MailLog::default()));
        let (send, mails) = channel();
        let record = Arc::clone(&log);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (log, mails, reply) = (Arc::clone(&record), send.clone(), Arc::clone(&reply));
                // an error ends the conversation: the client has gone
                std::thread::spawn(move || drop(Conversation::serve(&socket, encrypted, log, mails, reply)));
            }
        });
        Self { address, log, mails: Mutex::new(mails) }
    }

    /// The certificate of every mail server of the process, for `localhost`. It is self-signed, so
    /// a client must trust it.
    pub fn certificate_der() -> Vec<u8> {
        tls::certificate_der()
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The commands of all conversations so far.
    pub fn commands(&self) -> Vec<SmtpCommand> {
        lock(&self.log).commands.clone()
    }

    /// The steps of all conversations so far.
    pub fn steps(&self) -> Vec<SmtpStep> {
        lock(&self.log).commands.iter().map(|command| command.step).collect()
    }

    /// The messages so far, accepted or not.
    pub fn messages(&self) -> Vec<String> {
        lock(&self.log).messages.clone()
    }

    /// Waits for the next accepted mail. Panics if none comes.
    pub fn next_mail(&self) -> ReceivedMail {
        lock(&self.mails).recv_timeout(MAIL_TIMEOUT).expect("no mail came")
    }

    /// Whether [`next_mail`](Self::next_mail) has returned every mail that was accepted so far.
    pub fn has_no_mail(&self) -> bool {
        lock(&self.mails).try_recv().is_err()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

/// A conversation with a client.
struct Conversation {
    stream: BufReader<Box<dyn ReadWrite>>,
    encrypted: bool,
    log: Arc<Mutex<MailLog>>,
    mails: Sender<ReceivedMail>,
    reply: Arc<Reply>,
}

impl Conversation {
    /// Serves a client until it says goodbye or has gone.
    fn serve(
        socket: &TcpStream,
        encrypted: bool,
        log: Arc<Mutex<MailLog>>,
        mails: Sender<ReceivedMail>,
        reply: Arc<Reply>,
    ) -> std::io::Result<()> {
        let stream: Box<dyn ReadWrite> = Box::new(socket.try_clone()?);
        let mut conversation = Self { stream: BufReader::new(stream), encrypted: false, log, mails, reply };
        if encrypted {
            conversation.begin_tls(socket)?;
        }
        conversation.answer(SmtpStep::Connection, "")?;
        let mut recipient = String::new();
        while let Some(line) = conversation.read_line()? {
            let line = line.trim_end();
            match SmtpStep::of_command(line) {
                Some(SmtpStep::StartTls) => {
                    if conversation.answer(SmtpStep::StartTls, line)?.starts_with("220") {
                        conversation.begin_tls(socket)?;
                    }
                }
                Some(SmtpStep::Recipient) => {
                    line.split(['<', '>']).nth(1).unwrap_or_default().clone_into(&mut recipient);
                    conversation.answer(SmtpStep::Recipient, line)?;
                }
                Some(SmtpStep::Data) => {
                    if conversation.answer(SmtpStep::Data, line)?.starts_with("354") {
                        conversation.receive_message(&recipient)?;
                    }
                }
                Some(step) => drop(conversation.answer(step, line)?),
                None => return conversation.write("221 2.0.0 bye"),
            }
        }
        Ok(())
    }

    /// Continues over TLS. What was sent in clear after the command is dropped.
    fn begin_tls(&mut self, socket: &TcpStream) -> std::io::Result<()> {
        self.stream = BufReader::new(Box::new(tls::accept(socket.try_clone()?)));
        self.encrypted = true;
        Ok(())
    }

    /// Records a command and replies to it. Returns the reply.
    fn answer(&mut self, step: SmtpStep, line: &str) -> std::io::Result<String> {
        let command = SmtpCommand { step, line: line.to_owned(), encrypted: self.encrypted };
        lock(&self.log).commands.push(command);
        let reply = (*self.reply)(step, line);
        self.write(&reply).map(|()| reply)
    }

    fn write(&mut self, reply: &str) -> std::io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(format!("{reply}\r\n").as_bytes())?;
        stream.flush()
    }

    /// Reads a line with its line break; `None` at the end.
    fn read_line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        Ok((self.stream.read_line(&mut line)? > 0).then_some(line))
    }

    fn receive_message(&mut self, recipient: &str) -> std::io::Result<()> {
        let text = self.read_message()?;
        lock(&self.log).messages.push(text.clone());
        if self.answer(SmtpStep::Message, "")?.starts_with('2') {
            // the test may have ended
            let _ = self.mails.send(ReceivedMail { to: recipient.to_owned(), text });
        }
        Ok(())
    }

    /// Reads a message without the line that ends it, and without the dots that were added (RFC
    /// 5321, section 4.5.2).
    fn read_message(&mut self) -> std::io::Result<String> {
        let mut message = String::new();
        loop {
            match self.read_line()?.as_deref() {
                None | Some(".\r\n") => return Ok(message),
                Some(line) => message.push_str(line.strip_prefix('.').unwrap_or(line)),
            }
        }
    }
}
