//! What clients ask of tillgate's native API: logins, refreshes, and who they are.

use memchr::memmem;

use crate::load::Client;

/// The password of everybody in the bench's shop.
pub(crate) const PASSWORD: &str = "correct-horse-till";

/// The tokens of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    /// The tokens in an answer.
    pub(crate) fn of(body: &[u8]) -> Option<Self> {
        Some(Self { access: text(body, b"\"access_token\":\"")?, refresh: text(body, b"\"refresh_token\":\"")? })
    }
}

/// The text that stands behind this in a body.
pub(crate) fn text(body: &[u8], name: &[u8]) -> Option<String> {
    let value = &body[memmem::find(body, name)? + name.len()..];
    let end = memchr::memchr(b'"', value)?;
    String::from_utf8(value[..end].to_vec()).ok()
}

/// A request with a body in JSON.
pub(crate) fn post(request: &mut Vec<u8>, path: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: till.example\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    request.extend_from_slice(head.as_bytes());
    request.extend_from_slice(body.as_bytes());
}

/// A till's place in the shop: the clerk and the device of this number.
pub(crate) fn login_body(number: usize) -> String {
    format!("{{\"login\":\"clerk-{number}\",\"password\":\"{PASSWORD}\",\"device\":\"t{number}\"}}")
}

/// Logs in, each time the next of its tills.
pub(crate) struct Logins {
    pub(crate) tills: Vec<usize>,
    pub(crate) at: usize,
    /// The tokens of the newest login of each till.
    pub(crate) tokens: Vec<Tokens>,
}

impl Logins {
    pub(crate) fn of(tills: Vec<usize>) -> Self {
        let tokens = vec![Tokens::default(); tills.len()];
        Self { tills, at: 0, tokens }
    }
}

impl Client for Logins {
    fn ask(&mut self, request: &mut Vec<u8>) {
        post(request, "/api/v1/sessions", &login_body(self.tills[self.at % self.tills.len()]));
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> bool {
        let at = self.at % self.tills.len();
        self.at += 1;
        match Tokens::of(body) {
            Some(tokens) if status == 201 => self.tokens[at] = tokens,
            _ => return false,
        }
        true
    }
}

/// Refreshes its sessions in turn.
pub(crate) struct Refreshes {
    pub(crate) sessions: Vec<Tokens>,
    pub(crate) at: usize,
}

impl Refreshes {
    pub(crate) fn of(sessions: Vec<Tokens>) -> Self {
        Self { sessions, at: 0 }
    }
}

impl Client for Refreshes {
    fn ask(&mut self, request: &mut Vec<u8>) {
        let token = &self.sessions[self.at % self.sessions.len()].refresh;
        post(request, "/api/v1/sessions/refresh", &format!("{{\"refresh_token\":\"{token}\"}}"));
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> bool {
        let at = self.at % self.sessions.len();
        self.at += 1;
        // a refresh that was answered with the same token again wrote nothing, and is not what is measured
        match Tokens::of(body) {
            Some(tokens) if status == 200 && tokens.refresh != self.sessions[at].refresh => self.sessions[at] = tokens,
            _ => return false,
        }
        true
    }
}

/// Asks who it is, with the tokens of its sessions in turn.
pub(crate) struct Whoami {
    requests: Vec<Vec<u8>>,
    at: usize,
}

impl Whoami {
    pub(crate) fn of(sessions: &[Tokens]) -> Self {
        let request = |tokens: &Tokens| {
            let access = &tokens.access;
            format!(
                "GET /api/v1/sessions/current HTTP/1.1\r\nhost: till.example\r\nauthorization: Bearer {access}\r\n\r\n"
            )
        };
        Self { requests: sessions.iter().map(|tokens| request(tokens).into_bytes()).collect(), at: 0 }
    }
}

impl Client for Whoami {
    fn ask(&mut self, request: &mut Vec<u8>) {
        request.extend_from_slice(&self.requests[self.at % self.requests.len()]);
    }

    fn hear(&mut self, status: u16, _body: &[u8]) -> bool {
        self.at += 1;
        status == 200
    }
}

/// What a till does in a day, in small: of 50 requests 35 ask who it is, 5 refresh, 5 list, 4 open or close a ticket, and 1 logs in.
pub(crate) struct Shift {
    /// The number of its first till, and how far the next is.
    first: usize,
    step: usize,
    sessions: Vec<Tokens>,
    at: usize,
    /// The ticket that is open, and the session that opened it.
    open: Option<(usize, String)>,
}

/// One request of a shift.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    Login,
    Ticket,
    List,
    Refresh,
    Whoami,
}

const LISTS: [&str; 3] = ["/api/v1/tickets?limit=20&sort=-opened_at", "/api/v1/devices?limit=50", "/api/v1/roles"];

const TICKET: &str = r#"{"currency":"EUR","name":"Table 7","items":[
    {"article":{"name":"Cheese","vat_rate":"0"},"unit_price":"5","quantity":"1","unit":"kg"},
    {"article":{"name":"Bread","vat_rate":"0"},"unit_price":"2.5","quantity":"2"}],
    "payments":[{"means":"cash","amount":"20.00"}]}"#;

impl Shift {
    pub(crate) fn of(first: usize, step: usize, sessions: Vec<Tokens>) -> Self {
        // each begins somewhere else, so that not all do the same at once
        Self { first, step, sessions, at: first * 7, open: None }
    }

    fn task(&self) -> Task {
        match self.at % 50 {
            0 => Task::Login,
            1 | 11 | 21 | 31 => Task::Ticket,
            at if at % 10 == 2 => Task::List,
            at if at % 10 == 5 => Task::Refresh,
            _ => Task::Whoami,
        }
    }

    /// The session whose turn it is: every one comes to do each task.
    fn session(&self) -> usize {
        (self.at + self.at / 50) % self.sessions.len()
    }

    fn bearing(&self, request: &mut Vec<u8>, session: usize, line: &str, header: &str, body: &str) {
        let (access, length) = (&self.sessions[session].access, body.len());
        let head = format!(
            "{line} HTTP/1.1\r\nhost: till.example\r\nauthorization: Bearer {access}\r\n{header}content-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        request.extend_from_slice(head.as_bytes());
    }
}

impl Client for Shift {
    fn ask(&mut self, request: &mut Vec<u8>) {
        let session = self.session();
        match self.task() {
            Task::Login => post(request, "/api/v1/sessions", &login_body(self.first + session * self.step)),
            Task::Refresh => {
                let token = &self.sessions[session].refresh;
                post(request, "/api/v1/sessions/refresh", &format!("{{\"refresh_token\":\"{token}\"}}"));
            }
            Task::Ticket => match &self.open {
                Some((by, ticket)) => {
                    self.bearing(request, *by, &format!("POST /api/v1/tickets/{ticket}/close"), "if-match: *\r\n", "");
                }
                None => self.bearing(request, session, "POST /api/v1/tickets", "", TICKET),
            },
            Task::List => {
                let list = LISTS[self.at / 10 % LISTS.len()];
                self.bearing(request, session, &format!("GET {list}"), "", "");
            }
            Task::Whoami => self.bearing(request, session, "GET /api/v1/sessions/current", "", ""),
        }
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> bool {
        let (task, session) = (self.task(), self.session());
        self.at += 1;
        let expected = match (task, &self.open) {
            (Task::Login, _) | (Task::Ticket, None) => 201,
            _ => 200,
        };
        if status != expected {
            return false;
        }
        match task {
            Task::Login | Task::Refresh => match Tokens::of(body) {
                Some(tokens) => self.sessions[session] = tokens,
                None => return false,
            },
            Task::Ticket => {
                self.open = match self.open.take() {
                    Some(_) => None,
                    None => text(body, b"\"id\":\"").map(|ticket| (session, ticket)),
                };
            }
            Task::List | Task::Whoami => {}
        }
        true
    }
}
