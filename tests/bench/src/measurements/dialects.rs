//! The cost of a published contract compared with the native API: the same login, a refresh with
//! rotation, and one authenticated call, by the same principal in the same place. If a contract
//! limits requests per address, its setting is raised.

use crate::benchmark_run::{BenchmarkRun, log_progress};
use crate::http_client;
use crate::load_generator::{self, LoadClient};
use crate::measurement::{Measurement, MeasurementTarget, Round, measure_rounds, median};
use crate::server::BenchServer;
use crate::store::{BenchStore, Engine};
use crate::till::{PASSWORD, Tokens, find_text, write_post};

const CONNECTION_COUNT: usize = 64;

/// Sessions that rotate at every refresh, and limits above the benchmark's request rate.
const SERVER_SETTINGS: [(&str, &str); 8] = [
    ("SESSIONS__OVERLAP", "0s"),
    ("PORTOS__OVERLAP", "0s"),
    ("KASIR__OVERLAP", "0s"),
    ("FIUU__OVERLAP", "0s"),
    ("POSSTAR__OVERLAP", "0s"),
    ("KASIR__PER_MINUTE", "1000000000"),
    ("FIUU__PER_MINUTE", "1000000000"),
    ("POSSTAR__PER_MINUTE", "1000000000"),
];

/// The requests of a contract.
#[derive(Clone, Copy)]
struct DialectRequests {
    name: &'static str,
    /// The path and body of a login; `PASSWORD` stands for the password.
    login: (&'static str, &'static str),
    /// The text in front of the access token and the refresh token in a response; empty if no
    /// response has a refresh token.
    tokens: (&'static str, &'static str),
    /// Whether a refresh replaces the refresh token.
    rotates: bool,
    /// The path and body of a refresh; `ACCESS` and `REFRESH` stand for the tokens. Without a body,
    /// the refresh token is the bearer token or part of the path.
    refresh: (&'static str, &'static str),
    /// The path of the authenticated call.
    own: &'static str,
}

const NATIVE_TOKEN_KEYS: (&str, &str) = ("\"access_token\":\"", "\"refresh_token\":\"");

const fn native_requests(login: &'static str) -> DialectRequests {
    DialectRequests {
        name: "native",
        login: ("/api/v1/sessions", login),
        tokens: NATIVE_TOKEN_KEYS,
        rotates: true,
        refresh: ("/api/v1/sessions/refresh", "{\"refresh_token\":\"REFRESH\"}"),
        own: "/api/v1/sessions/current",
    }
}

/// Each contract with the native API's requests to compare.
const DIALECTS: [(&str, DialectRequests, DialectRequests); 5] = [
    (
        "dialect-portos",
        DialectRequests {
            name: "PORTOS",
            login: (
                "/portos/api/auth",
                "{\"userName\":\"cashier\",\"password\":\"PASSWORD\",\"deviceName\":\"OFFICE\"}",
            ),
            tokens: ("\"tokenId\":\"", "\"refreshToken\":\""),
            rotates: true,
            refresh: ("/portos/api/auth/refresh", "{\"tokenId\":\"ACCESS\",\"refreshToken\":\"REFRESH\"}"),
            own: "/portos/api/auth",
        },
        native_requests("{\"login\":\"cashier\",\"password\":\"PASSWORD\",\"device\":\"OFFICE\"}"),
    ),
    (
        "dialect-kasir",
        DialectRequests {
            name: "POS Kasir",
            login: ("/kasir/api/v1/auth/login", "{\"email\":\"cashier\",\"password\":\"PASSWORD\"}"),
            tokens: ("\"Token\":\"", "\"refresh_token\":\""),
            // without cookies the first refresh token stays valid
            rotates: false,
            refresh: ("/kasir/api/v1/auth/refresh", "{\"refresh_token\":\"REFRESH\"}"),
            own: "/kasir/api/v1/auth/me",
        },
        native_requests("{\"login\":\"cashier\",\"password\":\"PASSWORD\"}"),
    ),
    (
        "dialect-fiuu",
        DialectRequests {
            name: "Fiuu",
            login: ("/fiuu/auth/login", "{\"posId\":\"P02\",\"password\":\"PASSWORD\"}"),
            tokens: ("\"access\":{\"token\":\"", "\"refresh\":{\"token\":\""),
            rotates: true,
            refresh: ("/fiuu/auth/refresh", ""),
            own: "/fiuu/api/terminals",
        },
        native_requests("{\"password\":\"PASSWORD\",\"device\":\"P02\"}"),
    ),
    (
        "dialect-posstar",
        DialectRequests {
            name: "PosStar",
            login: ("/posstar/api/v1/auth/login", "{\"email\":\"cashier@example.com\",\"password\":\"PASSWORD\"}"),
            // the single token is exchanged for the next one
            tokens: ("\"access_token\":\"", "\"access_token\":\""),
            rotates: true,
            refresh: ("/posstar/api/v1/auth/refresh", "{\"token\":\"REFRESH\"}"),
            own: "/posstar/api/v1/auth/me",
        },
        native_requests("{\"login\":\"cashier@example.com\",\"password\":\"PASSWORD\"}"),
    ),
    (
        KRMPESAN_NAME,
        DialectRequests {
            name: "krmpesan",
            // on its page; the tokens of a program are generated there
            login: ("/krmpesan/app/login", "{\"login\":\"cashier\",\"password\":\"PASSWORD\"}"),
            // `token` from the page, and `AccessToken` from a refresh
            tokens: ("oken\":\"", ""),
            rotates: false,
            refresh: ("/krmpesan/tokens?REFRESH", ""),
            own: "/krmpesan/devices",
        },
        native_requests("{\"login\":\"cashier\",\"password\":\"PASSWORD\"}"),
    ),
];

const KRMPESAN_NAME: &str = "dialect-krmpesan";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequestKind {
    Login,
    Refresh,
    Own,
}

/// Repeats one call of a contract, with the tokens of its own session.
struct DialectClient {
    contract: DialectRequests,
    call: RequestKind,
    tokens: Tokens,
}

impl LoadClient for DialectClient {
    fn write_request(&mut self, request: &mut Vec<u8>) {
        let DialectRequests { login, refresh, own, .. } = self.contract;
        let get = |path: &str, method: &str, token: &str| {
            format!(
                "{method} {path} HTTP/1.1\r\nhost: till.example\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
            )
        };
        match self.call {
            RequestKind::Login => write_post(request, login.0, &login.1.replace("PASSWORD", PASSWORD)),
            RequestKind::Refresh if refresh.0.contains("REFRESH") => {
                let path = refresh.0.replace("REFRESH", &self.tokens.refresh);
                request.extend_from_slice(get(&path, "POST", &self.tokens.access).as_bytes());
            }
            RequestKind::Refresh if refresh.1.is_empty() => {
                request.extend_from_slice(get(refresh.0, "POST", &self.tokens.refresh).as_bytes());
            }
            RequestKind::Refresh => {
                let body = refresh.1.replace("ACCESS", &self.tokens.access).replace("REFRESH", &self.tokens.refresh);
                write_post(request, refresh.0, &body);
            }
            RequestKind::Own => request.extend_from_slice(get(own, "GET", &self.tokens.access).as_bytes()),
        }
    }

    fn read_response(&mut self, status: u16, body: &[u8]) -> bool {
        if !matches!(status, 200 | 201) {
            return false;
        }
        if self.call == RequestKind::Own {
            return true;
        }
        let (access, refresh) = self.contract.tokens;
        let kept = refresh.is_empty() || (self.call == RequestKind::Refresh && !self.contract.rotates);
        let found = if kept { Some(self.tokens.refresh.clone()) } else { find_text(body, refresh.as_bytes()) };
        let (Some(access), Some(refresh)) = (find_text(body, access.as_bytes()), found) else {
            return false;
        };
        // a response with the same refresh token was not a rotation, which is what is measured
        let is_expected = kept || self.call == RequestKind::Login || refresh != self.tokens.refresh;
        self.tokens = Tokens { access, refresh };
        is_expected
    }
}

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    DIALECTS.iter().map(|(line, contract, native)| measure_dialect(bench, line, *contract, *native)).collect()
}

/// The permanent token of a device, as krmpesan's page generates it. Any number of programs may use
/// it at the same time.
fn generate_tokens(server: &BenchServer) -> Tokens {
    let call = |path: &str, bearer: &str, body: &str| {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: till.example\r\nauthorization: Bearer {bearer}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        let (status, _, body) =
            http_client::send_request(&mut http_client::connect(&server.address), request.as_bytes());
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        move |name: &str| find_text(&body, format!("\"{name}\":\"").as_bytes()).unwrap()
    };
    let visit = call("/krmpesan/app/login", "none", &format!("{{\"login\":\"cashier\",\"password\":\"{PASSWORD}\"}}"));
    let wish = format!("{{\"device\":\"OFFICE\",\"password\":\"{PASSWORD}\"}}");
    let generated = call("/krmpesan/app/generate", &visit("token"), &wish);
    let refresh = format!("refresh_token={}&device_id={}", generated("RefreshToken"), generated("DeviceId"));
    Tokens { access: generated("IdToken"), refresh }
}

/// Logs in before the load, so that the network is known to the server, as that of a shop is. A
/// login from an unknown network is verified only when no other login waits.
fn log_in_once(server: &BenchServer, speaker: &mut DialectClient) {
    let mut request = Vec::new();
    speaker.write_request(&mut request);
    let (status, _, body) = http_client::send_request(&mut http_client::connect(&server.address), &request);
    assert!(speaker.read_response(status, &body), "login by {}: {status}", speaker.contract.name);
}

/// One result: the most expensive call compared with the native API's; the notes list all of them.
fn measure_dialect(
    bench: &BenchmarkRun,
    name: &'static str,
    contract: DialectRequests,
    native: DialectRequests,
) -> Measurement {
    log_progress(&format!("{} beside the native API", contract.name));
    let store = BenchStore::with_demo(Engine::Sqlite);
    let server = store.serve(&SERVER_SETTINGS);
    let crowd = |contract: DialectRequests| -> Vec<DialectClient> {
        (0..CONNECTION_COUNT)
            .map(|_| DialectClient { contract, call: RequestKind::Login, tokens: Tokens::default() })
            .collect()
    };
    let (mut ours, mut theirs) = (crowd(native), crowd(contract));
    for speaker in ours.first_mut().into_iter().chain(theirs.first_mut()) {
        log_in_once(&server, speaker);
    }
    let mut all: Vec<(RequestKind, Vec<Round>)> = Vec::new();
    for call in [RequestKind::Login, RequestKind::Refresh, RequestKind::Own] {
        if name == KRMPESAN_NAME && call == RequestKind::Refresh {
            let tokens = generate_tokens(&server);
            for speaker in &mut theirs {
                speaker.tokens.clone_from(&tokens);
            }
        }
        let cost = |speakers: &mut Vec<DialectClient>| {
            let asking =
                std::mem::take(speakers).into_iter().map(|speaker| DialectClient { call, ..speaker }).collect();
            let (measured, back) = load_generator::run_load(&server.address, asking, bench.load_phases());
            *speakers = back;
            1e6 / measured.rate(&format!("{call:?} by {}", contract.name))
        };
        let rounds = measure_rounds(bench.round_count().min(3), || cost(&mut ours), || cost(&mut theirs));
        all.push((call, rounds));
    }
    let ratio = |rounds: &[Round]| median(rounds.iter().map(|round| round.value / round.reference));
    let notes = all.iter().map(|(call, rounds)| format!("{call:?}: {:.2}", ratio(rounds))).collect::<Vec<_>>();
    let (call, worst) = all
        .into_iter()
        .max_by(|one, other| ratio(&one.1).total_cmp(&ratio(&other.1)))
        .unwrap_or((RequestKind::Login, Vec::new()));
    let what = format!("{}: {call:?}, which costs most beside the native API's", contract.name);
    let note = format!("times the native API's, at {CONNECTION_COUNT} connections: {}", notes.join(", "));
    Measurement::new(name, &what, "µs", "the same by the native API")
        .with_rounds(worst, MeasurementTarget::Times(1.2))
        .with_note(note)
}
