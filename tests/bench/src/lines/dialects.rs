//! What a published contract costs beside the native API: the same login, a refresh that rotates, and one authenticated call, by the
//! same principal in the same place. Where a contract counts requests by address, its setting lets the bench through.

use crate::bench::{Bench, say};
use crate::line::{Line, Round, Target, between, median};
use crate::load::{self, Client};
use crate::once;
use crate::server::Server;
use crate::store::{Engine, Store};
use crate::till::{PASSWORD, Tokens, post, text};

const CONNECTIONS: usize = 64;

/// Sessions that rotate at every refresh, and more requests a minute than a bench sends.
const SETTINGS: [(&str, &str); 7] = [
    ("SESSIONS__OVERLAP", "0s"),
    ("PORTOS__OVERLAP", "0s"),
    ("KASIR__OVERLAP", "0s"),
    ("FIUU__OVERLAP", "0s"),
    ("KASIR__PER_MINUTE", "1000000000"),
    ("FIUU__PER_MINUTE", "1000000000"),
    ("POSSTAR__PER_MINUTE", "1000000000"),
];

/// How a contract is spoken.
#[derive(Clone, Copy)]
struct Contract {
    name: &'static str,
    /// The path and the body of a login, with `PASSWORD` for the password.
    login: (&'static str, &'static str),
    /// What stands before the access and the refresh token in an answer; nothing before a refresh token that is kept.
    tokens: (&'static str, &'static str),
    /// The path of a refresh, and its body with `ACCESS` and `REFRESH` for the tokens; where it has none, the refresh token is the
    /// bearer, or stands in the path.
    refresh: (&'static str, &'static str),
    /// The path of the authenticated call.
    own: &'static str,
}

const NATIVE: (&str, &str) = ("\"access_token\":\"", "\"refresh_token\":\"");

const fn native(login: &'static str) -> Contract {
    Contract {
        name: "native",
        login: ("/api/v1/sessions", login),
        tokens: NATIVE,
        refresh: ("/api/v1/sessions/refresh", "{\"refresh_token\":\"REFRESH\"}"),
        own: "/api/v1/sessions/current",
    }
}

/// Each with what the native API is asked beside it.
const CONTRACTS: [(&str, Contract, Contract); 5] = [
    (
        "dialect-portos",
        Contract {
            name: "PORTOS",
            login: (
                "/portos/api/auth",
                "{\"userName\":\"cashier\",\"password\":\"PASSWORD\",\"deviceName\":\"OFFICE\"}",
            ),
            tokens: ("\"tokenId\":\"", "\"refreshToken\":\""),
            refresh: ("/portos/api/auth/refresh", "{\"tokenId\":\"ACCESS\",\"refreshToken\":\"REFRESH\"}"),
            own: "/portos/api/auth",
        },
        native("{\"login\":\"cashier\",\"password\":\"PASSWORD\",\"device\":\"OFFICE\"}"),
    ),
    (
        "dialect-kasir",
        Contract {
            name: "POS Kasir",
            login: ("/kasir/api/v1/auth/login", "{\"email\":\"cashier\",\"password\":\"PASSWORD\"}"),
            tokens: ("\"Token\":\"", "\"refresh_token\":\""),
            refresh: ("/kasir/api/v1/auth/refresh", "{\"refresh_token\":\"REFRESH\"}"),
            own: "/kasir/api/v1/auth/me",
        },
        native("{\"login\":\"cashier\",\"password\":\"PASSWORD\"}"),
    ),
    (
        "dialect-fiuu",
        Contract {
            name: "Fiuu",
            login: ("/fiuu/auth/login", "{\"posId\":\"P02\",\"password\":\"PASSWORD\"}"),
            tokens: ("\"access\":{\"token\":\"", "\"refresh\":{\"token\":\""),
            refresh: ("/fiuu/auth/refresh", ""),
            own: "/fiuu/api/terminals",
        },
        native("{\"password\":\"PASSWORD\",\"device\":\"P02\"}"),
    ),
    (
        "dialect-posstar",
        Contract {
            name: "PosStar",
            login: ("/posstar/api/v1/auth/login", "{\"email\":\"cashier@example.com\",\"password\":\"PASSWORD\"}"),
            // the one token is exchanged for the next
            tokens: ("\"access_token\":\"", "\"access_token\":\""),
            refresh: ("/posstar/api/v1/auth/refresh", "{\"token\":\"REFRESH\"}"),
            own: "/posstar/api/v1/auth/me",
        },
        native("{\"login\":\"cashier@example.com\",\"password\":\"PASSWORD\"}"),
    ),
    (
        KRMPESAN,
        Contract {
            name: "krmpesan",
            // at its page; what a program holds is generated there
            login: ("/krmpesan/app/login", "{\"login\":\"cashier\",\"password\":\"PASSWORD\"}"),
            // the page's `token`, and a refresh's `AccessToken`
            tokens: ("oken\":\"", ""),
            refresh: ("/krmpesan/tokens?REFRESH", ""),
            own: "/krmpesan/devices",
        },
        native("{\"login\":\"cashier\",\"password\":\"PASSWORD\"}"),
    ),
];

const KRMPESAN: &str = "dialect-krmpesan";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Login,
    Refresh,
    Own,
}

/// Makes one call of a contract again and again, with the tokens of a session of its own.
struct Speaker {
    contract: Contract,
    call: Call,
    tokens: Tokens,
}

impl Client for Speaker {
    fn ask(&mut self, request: &mut Vec<u8>) {
        let Contract { login, refresh, own, .. } = self.contract;
        let get = |path: &str, method: &str, token: &str| {
            format!(
                "{method} {path} HTTP/1.1\r\nhost: till.example\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
            )
        };
        match self.call {
            Call::Login => post(request, login.0, &login.1.replace("PASSWORD", PASSWORD)),
            Call::Refresh if refresh.0.contains("REFRESH") => {
                let path = refresh.0.replace("REFRESH", &self.tokens.refresh);
                request.extend_from_slice(get(&path, "POST", &self.tokens.access).as_bytes());
            }
            Call::Refresh if refresh.1.is_empty() => {
                request.extend_from_slice(get(refresh.0, "POST", &self.tokens.refresh).as_bytes());
            }
            Call::Refresh => {
                let body = refresh.1.replace("ACCESS", &self.tokens.access).replace("REFRESH", &self.tokens.refresh);
                post(request, refresh.0, &body);
            }
            Call::Own => request.extend_from_slice(get(own, "GET", &self.tokens.access).as_bytes()),
        }
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> bool {
        if !matches!(status, 200 | 201) {
            return false;
        }
        if self.call == Call::Own {
            return true;
        }
        let (access, refresh) = self.contract.tokens;
        let kept = refresh.is_empty();
        let found = if kept { Some(self.tokens.refresh.clone()) } else { text(body, refresh.as_bytes()) };
        let (Some(access), Some(refresh)) = (text(body, access.as_bytes()), found) else {
            return false;
        };
        // a refresh that was answered with the same token again wrote nothing, and is not what is measured
        let moved = kept || self.call == Call::Login || refresh != self.tokens.refresh;
        self.tokens = Tokens { access, refresh };
        moved
    }
}

pub(crate) fn measure(bench: &Bench) -> Vec<Line> {
    CONTRACTS.iter().map(|(line, contract, native)| of(bench, line, *contract, *native)).collect()
}

/// The permanent token of a device, as krmpesan's page generates it. Any number of programs may use it at once.
fn generate(server: &Server) -> Tokens {
    let call = |path: &str, bearer: &str, body: &str| {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: till.example\r\nauthorization: Bearer {bearer}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        let (status, _, body) = once::send(&mut once::connect(&server.address), request.as_bytes());
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        move |name: &str| text(&body, format!("\"{name}\":\"").as_bytes()).unwrap()
    };
    let visit = call("/krmpesan/app/login", "none", &format!("{{\"login\":\"cashier\",\"password\":\"{PASSWORD}\"}}"));
    let wish = format!("{{\"device\":\"OFFICE\",\"password\":\"{PASSWORD}\"}}");
    let generated = call("/krmpesan/app/generate", &visit("token"), &wish);
    let refresh = format!("refresh_token={}&device_id={}", generated("RefreshToken"), generated("DeviceId"));
    Tokens { access: generated("IdToken"), refresh }
}

/// One line: the call that costs most beside the native API's, and in its notes all of them.
fn of(bench: &Bench, name: &'static str, contract: Contract, native: Contract) -> Line {
    say(&format!("{} beside the native API", contract.name));
    let store = Store::with_demo(Engine::Sqlite);
    let server = store.serve(&SETTINGS);
    let crowd = |contract: Contract| -> Vec<Speaker> {
        (0..CONNECTIONS).map(|_| Speaker { contract, call: Call::Login, tokens: Tokens::default() }).collect()
    };
    let (mut ours, mut theirs) = (crowd(native), crowd(contract));
    let mut all: Vec<(Call, Vec<Round>)> = Vec::new();
    for call in [Call::Login, Call::Refresh, Call::Own] {
        if name == KRMPESAN && call == Call::Refresh {
            let tokens = generate(&server);
            for speaker in &mut theirs {
                speaker.tokens.clone_from(&tokens);
            }
        }
        let cost = |speakers: &mut Vec<Speaker>| {
            let asking = std::mem::take(speakers).into_iter().map(|speaker| Speaker { call, ..speaker }).collect();
            let (measured, back) = load::run(&server.address, asking, bench.span());
            *speakers = back;
            1e6 / measured.rate(&format!("{call:?} by {}", contract.name))
        };
        let rounds = between(bench.rounds().min(3), || cost(&mut ours), || cost(&mut theirs));
        all.push((call, rounds));
    }
    let ratio = |rounds: &[Round]| median(rounds.iter().map(|round| round.value / round.roof));
    let notes = all.iter().map(|(call, rounds)| format!("{call:?}: {:.2}", ratio(rounds))).collect::<Vec<_>>();
    let (call, worst) = all
        .into_iter()
        .max_by(|one, other| ratio(&one.1).total_cmp(&ratio(&other.1)))
        .unwrap_or((Call::Login, Vec::new()));
    let what = format!("{}: {call:?}, which costs most beside the native API's", contract.name);
    let note = format!("times the native API's, at {CONNECTIONS} connections: {}", notes.join(", "));
    Line::new(name, &what, "µs", "the same by the native API").of(worst, Target::Times(1.2)).note(note)
}
