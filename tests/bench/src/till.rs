//! Clients of tillgate's native API: logins, refreshes, and reads of the current session.

use memchr::memmem;

use crate::load_generator::LoadClient;

/// The password of every user in the benchmark's shop.
pub(crate) const PASSWORD: &str = "correct-horse-till";

/// The tokens of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    /// The tokens in the body of a response.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        Some(Self {
            access: find_text(body, b"\"access_token\":\"")?,
            refresh: find_text(body, b"\"refresh_token\":\"")?,
        })
    }
}

/// The text behind `name` in a body.
pub(crate) fn find_text(body: &[u8], name: &[u8]) -> Option<String> {
    let value = &body[memmem::find(body, name)? + name.len()..];
    let end = memchr::memchr(b'"', value)?;
    String::from_utf8(value[..end].to_vec()).ok()
}

/// Writes a POST request with a JSON body.
pub(crate) fn write_post(request: &mut Vec<u8>, path: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: till.example\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    request.extend_from_slice(head.as_bytes());
    request.extend_from_slice(body.as_bytes());
}

/// Writes a request with an access token. `line` is the method and the path; `headers` are complete
/// lines.
pub(crate) fn write_authorized(request: &mut Vec<u8>, access: &str, line: &str, headers: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: till.example\r\nauthorization: Bearer {access}\r\n{headers}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    request.extend_from_slice(head.as_bytes());
}

/// The body of a login of the clerk and device with this number.
pub(crate) fn login_body(number: usize) -> String {
    format!("{{\"login\":\"clerk-{number}\",\"password\":\"{PASSWORD}\",\"device\":\"t{number}\"}}")
}

/// Logs in, on the next of its tills each time.
pub(crate) struct LoginClient {
    pub(crate) tills: Vec<usize>,
    pub(crate) next: usize,
    /// The tokens of the latest login on each till.
    pub(crate) tokens: Vec<Tokens>,
}

impl LoginClient {
    pub(crate) fn new(tills: Vec<usize>) -> Self {
        let tokens = vec![Tokens::default(); tills.len()];
        Self { tills, next: 0, tokens }
    }
}

impl LoadClient for LoginClient {
    fn write_request(&mut self, request: &mut Vec<u8>) {
        write_post(request, "/api/v1/sessions", &login_body(self.tills[self.next % self.tills.len()]));
    }

    fn read_response(&mut self, status: u16, body: &[u8]) -> bool {
        let at = self.next % self.tills.len();
        self.next += 1;
        match Tokens::parse(body) {
            Some(tokens) if status == 201 => self.tokens[at] = tokens,
            _ => return false,
        }
        true
    }
}

/// Refreshes its sessions in turn.
pub(crate) struct RefreshClient {
    pub(crate) sessions: Vec<Tokens>,
    pub(crate) next: usize,
}

impl RefreshClient {
    pub(crate) fn new(sessions: Vec<Tokens>) -> Self {
        Self { sessions, next: 0 }
    }
}

impl LoadClient for RefreshClient {
    fn write_request(&mut self, request: &mut Vec<u8>) {
        let token = &self.sessions[self.next % self.sessions.len()].refresh;
        write_post(request, "/api/v1/sessions/refresh", &format!("{{\"refresh_token\":\"{token}\"}}"));
    }

    fn read_response(&mut self, status: u16, body: &[u8]) -> bool {
        let at = self.next % self.sessions.len();
        self.next += 1;
        // a response with the same refresh token was not a rotation, which is what is measured
        match Tokens::parse(body) {
            Some(tokens) if status == 200 && tokens.refresh != self.sessions[at].refresh => self.sessions[at] = tokens,
            _ => return false,
        }
        true
    }
}

/// Reads the current session, with its sessions' tokens in turn.
pub(crate) struct CurrentSessionClient {
    requests: Vec<Vec<u8>>,
    next: usize,
}

impl CurrentSessionClient {
    pub(crate) fn new(sessions: &[Tokens]) -> Self {
        let request = |tokens: &Tokens| {
            let access = &tokens.access;
            format!(
                "GET /api/v1/sessions/current HTTP/1.1\r\nhost: till.example\r\nauthorization: Bearer {access}\r\n\r\n"
            )
        };
        Self { requests: sessions.iter().map(|tokens| request(tokens).into_bytes()).collect(), next: 0 }
    }
}

impl LoadClient for CurrentSessionClient {
    fn write_request(&mut self, request: &mut Vec<u8>) {
        request.extend_from_slice(&self.requests[self.next % self.requests.len()]);
    }

    fn read_response(&mut self, status: u16, _body: &[u8]) -> bool {
        self.next += 1;
        status == 200
    }
}

/// A till's day in short: of 50 requests, 35 read the current session, 5 refresh, 5 list, 4 open or
/// close a ticket, and 1 logs in.
pub(crate) struct ShiftClient {
    /// The number of its first till, and the distance to the next.
    first: usize,
    step: usize,
    sessions: Vec<Tokens>,
    next: usize,
    /// The open ticket, and the session that opened it.
    open_tickets: Option<(usize, String)>,
}

/// One request of a shift.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ShiftTask {
    Login,
    Ticket,
    List,
    Refresh,
    Whoami,
}

const LIST_PATHS: [&str; 3] = ["/api/v1/tickets?limit=20&sort=-opened_at", "/api/v1/devices?limit=50", "/api/v1/roles"];

const TICKET_JSON: &str = r#"{"currency":"EUR","name":"Table 7","items":[
    {"article":{"name":"Cheese","vat_rate":"0"},"unit_price":"5","quantity":"1","unit":"kg"},
    {"article":{"name":"Bread","vat_rate":"0"},"unit_price":"2.5","quantity":"2"}],
    "payments":[{"means":"cash","amount":"20.00"}]}"#;

impl ShiftClient {
    pub(crate) fn new(first: usize, step: usize, sessions: Vec<Tokens>) -> Self {
        // each client starts at a different position, so that they do not all do the same at the
        // same time
        Self { first, step, sessions, next: first * 7, open_tickets: None }
    }

    fn next_task(&self) -> ShiftTask {
        match self.next % 50 {
            0 => ShiftTask::Login,
            1 | 11 | 21 | 31 => ShiftTask::Ticket,
            at if at % 10 == 2 => ShiftTask::List,
            at if at % 10 == 5 => ShiftTask::Refresh,
            _ => ShiftTask::Whoami,
        }
    }

    /// The session for the next task; over time, each session does every task.
    fn task_session(&self) -> usize {
        (self.next + self.next / 50) % self.sessions.len()
    }

    fn write_with_token(&self, request: &mut Vec<u8>, session: usize, line: &str, header: &str, body: &str) {
        write_authorized(request, &self.sessions[session].access, line, header, body);
    }
}

impl LoadClient for ShiftClient {
    fn write_request(&mut self, request: &mut Vec<u8>) {
        let session = self.task_session();
        match self.next_task() {
            ShiftTask::Login => write_post(request, "/api/v1/sessions", &login_body(self.first + session * self.step)),
            ShiftTask::Refresh => {
                let token = &self.sessions[session].refresh;
                write_post(request, "/api/v1/sessions/refresh", &format!("{{\"refresh_token\":\"{token}\"}}"));
            }
            ShiftTask::Ticket => match &self.open_tickets {
                Some((by, ticket)) => {
                    self.write_with_token(
                        request,
                        *by,
                        &format!("POST /api/v1/tickets/{ticket}/close"),
                        "if-match: *\r\n",
                        "",
                    );
                }
                None => self.write_with_token(request, session, "POST /api/v1/tickets", "", TICKET_JSON),
            },
            ShiftTask::List => {
                let list = LIST_PATHS[self.next / 10 % LIST_PATHS.len()];
                self.write_with_token(request, session, &format!("GET {list}"), "", "");
            }
            ShiftTask::Whoami => self.write_with_token(request, session, "GET /api/v1/sessions/current", "", ""),
        }
    }

    fn read_response(&mut self, status: u16, body: &[u8]) -> bool {
        let (task, session) = (self.next_task(), self.task_session());
        self.next += 1;
        let expected = match (task, &self.open_tickets) {
            (ShiftTask::Login, _) | (ShiftTask::Ticket, None) => 201,
            _ => 200,
        };
        if status != expected {
            return false;
        }
        match task {
            ShiftTask::Login | ShiftTask::Refresh => match Tokens::parse(body) {
                Some(tokens) => self.sessions[session] = tokens,
                None => return false,
            },
            ShiftTask::Ticket => {
                self.open_tickets = match self.open_tickets.take() {
                    Some(_) => None,
                    None => find_text(body, b"\"id\":\"").map(|ticket| (session, ticket)),
                };
            }
            ShiftTask::List | ShiftTask::Whoami => {}
        }
        true
    }
}
