//! Requests with proofs of a key (DPoP), compared with the same without proofs, and enrollments.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tillgate_testkit::ProofSigner;

use crate::benchmark_run::{BenchmarkRun, deal_evenly, log_progress};
use crate::http_client;
use crate::load_generator::{self, LoadClient};
use crate::measurement::{Measurement, MeasurementTarget, Round, measure_rounds};
use crate::open_loop::{self, LatencyStart};
use crate::server::{self, BenchServer};
use crate::store::{BenchStore, TERM_SETTINGS};
use crate::till::{CurrentSessionClient, RefreshClient, Tokens, login_body};

const CONNECTION_COUNT: usize = 64;
const REFRESHES_PER_SECOND: u32 = 200;
/// The number of enrollments of one round, and of the connections over which they are sent: as many
/// as the server lets wait for one network.
const ENROLLMENT_COUNT: usize = 600;
const ENROLLMENT_CONNECTIONS: usize = 8;
/// The time within which all tills of a large company are to be enrolled, in seconds.
const ENROLLMENT_LIMIT_SECONDS: f64 = 60.0;

const ORIGIN: &str = "http://till.example";
const LOGIN: &str = "/api/v1/sessions";
const CURRENT: &str = "/api/v1/sessions/current";
const REFRESH: &str = "/api/v1/sessions/refresh";
const ENROLL: &str = "/api/v1/enrollments";

/// An algorithm of proofs, the names of its benchmarks, and a key of it by number.
struct ProofKind {
    algorithm: &'static str,
    refresh_name: &'static str,
    current_name: &'static str,
    new_signer: fn(usize) -> ProofSigner,
}

const PROOF_KINDS: [ProofKind; 2] = [
    ProofKind {
        algorithm: "ES256",
        refresh_name: "proofs-refresh-es256",
        current_name: "proofs-current-es256",
        new_signer: |_| ProofSigner::p256(),
    },
    ProofKind {
        algorithm: "EdDSA",
        refresh_name: "proofs-refresh-eddsa",
        current_name: "proofs-current-eddsa",
        new_signer: |number| ProofSigner::ed25519(u8::try_from(number).unwrap()),
    },
];

/// Measures refreshes and authenticated calls with proofs of each algorithm.
pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("requests with proofs");
    let store = bench.on_sqlite();
    let server = store.serve(&TERM_SETTINGS);
    PROOF_KINDS
        .iter()
        .enumerate()
        .flat_map(|(number, kind)| measure_kind(bench, &store, &server, number, kind))
        .collect()
}

fn measure_kind(
    bench: &BenchmarkRun,
    store: &BenchStore,
    server: &BenchServer,
    number: usize,
    kind: &ProofKind,
) -> [Measurement; 2] {
    // each algorithm has tills of its own; the last ones refresh without proofs
    let first = number * CONNECTION_COUNT;
    let mut bound: Vec<ProvingClient> = (1..=CONNECTION_COUNT)
        .map(|till| ProvingClient::log_in(&server.address, first + till, (kind.new_signer)(till)))
        .collect();
    let unbound = &store.tokens[PROOF_KINDS.len() * CONNECTION_COUNT..];
    let mut plain: Vec<RefreshClient> =
        deal_evenly(unbound, CONNECTION_COUNT).into_iter().map(RefreshClient::new).collect();
    let span = Duration::from_secs(if bench.quick { 4 } else { 15 });
    let rounds = measure_rounds(
        bench.round_count().min(3),
        || quantile_at_fixed_rate(server, &mut plain, span),
        || {
            ProvingClient::prepare(&mut bound, &server.address, ProvenCall::Refresh);
            quantile_at_fixed_rate(server, &mut bound, span)
        },
    );
    let what = format!("refreshes at 200/s with {} proofs: 99 of 100 within", kind.algorithm);
    let refresh = Measurement::new(kind.refresh_name, &what, "ms", "the same without proofs")
        .with_rounds(rounds, MeasurementTarget::Times(1.3));

    let plain =
        || unbound.iter().take(CONNECTION_COUNT).map(|tokens| CurrentSessionClient::new(std::slice::from_ref(tokens)));
    let rounds = measure_rounds(
        bench.round_count(),
        || load_generator::run_load(&server.address, plain().collect(), bench.load_phases()).0.rate("plain calls"),
        || {
            ProvingClient::prepare(&mut bound, &server.address, ProvenCall::Current);
            let (measured, back) =
                load_generator::run_load(&server.address, std::mem::take(&mut bound), bench.load_phases());
            bound = back;
            measured.rate("calls with proofs")
        },
    );
    let what = format!("GET {CURRENT} with {} proofs at 64 connections", kind.algorithm);
    let current = Measurement::new(kind.current_name, &what, "/s", "the same without proofs")
        .with_rounds(rounds, MeasurementTarget::None)
        .with_note("the load generator signs the proofs on the same cores");
    [refresh, current]
}

/// Sends refreshes at the fixed rate. Returns the time within which 99 of 100 were answered.
fn quantile_at_fixed_rate<C: LoadClient + Send>(server: &BenchServer, clients: &mut Vec<C>, span: Duration) -> f64 {
    let (measured, back) = open_loop::run_open_loop(
        &server.address,
        std::mem::take(clients),
        REFRESHES_PER_SECOND,
        span,
        LatencyStart::Due,
    );
    *clients = back;
    measured.rate("refreshes at a fixed rate");
    measured.quantile(0.99)
}

/// Measures how long it takes to enroll many tills.
pub(crate) fn measure_enrollments(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("enrollments");
    let store = bench.on_sqlite();
    let codes = start_enrollments(&store);
    let server = store.serve(&[]);
    let rounds: Vec<Round> = codes
        .chunks_exact(ENROLLMENT_COUNT)
        .take(bench.round_count())
        .map(|codes| Round { value: enroll_all(&server.address, codes), reference: ENROLLMENT_LIMIT_SECONDS })
        .collect();
    assert_eq!(rounds.len(), bench.round_count(), "too few codes");
    let line = Measurement::new("enrollments", "600 enrollments over 8 connections, SQLite", "s", "the limit")
        .with_rounds(rounds, MeasurementTarget::Reference);
    vec![line]
}

/// Starts enrollments of all tills on the command line, and returns their codes.
fn start_enrollments(store: &BenchStore) -> Vec<String> {
    let file = store.folder.join("codes.csv");
    let mut command = Command::new(server::find_program());
    command.args(["device", "enroll", "--all", "--lifetime", "7d", "--bom=false", "--output"]).arg(&file);
    command.arg("--data").arg(&store.folder).args(["--database", &store.database_address()]).env_clear();
    assert!(command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success(), "{command:?}");
    let text = std::fs::read_to_string(file).unwrap();
    let code = |line: &str| line.split(',').nth(1).unwrap().trim_matches('"').to_owned();
    text.lines().skip(1).map(code).collect()
}

/// Enrolls a new key with each code. Returns the seconds that it takes.
fn enroll_all(address: &str, codes: &[String]) -> f64 {
    let tills: Vec<(&String, ProofSigner)> = codes.iter().map(|code| (code, ProofSigner::p256())).collect();
    let nonce = &fetch_nonce(address);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for part in tills.chunks(tills.len().div_ceil(ENROLLMENT_CONNECTIONS)) {
            scope.spawn(move || {
                let mut stream = http_client::connect(address);
                for (code, signer) in part {
                    let mut request = Vec::new();
                    let body = format!("{{\"code\":\"{code}\",\"storage\":\"software\"}}");
                    write_proven_post(&mut request, ENROLL, &body, &signer.prove("POST", &uri(ENROLL), nonce, None));
                    let (status, _, body) = http_client::send_request(&mut stream, &request);
                    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
                }
            });
        }
    });
    begun.elapsed().as_secs_f64()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ProvenCall {
    Current,
    Refresh,
}

/// Refreshes its session, or reads it, with proofs.
struct ProvingClient {
    signer: ProofSigner,
    tokens: Tokens,
    nonce: Arc<str>,
    call: ProvenCall,
}

impl ProvingClient {
    /// Logs in on the till with this number.
    fn log_in(address: &str, till: usize, signer: ProofSigner) -> Self {
        let nonce: Arc<str> = fetch_nonce(address).into();
        let mut request = Vec::new();
        write_proven_post(&mut request, LOGIN, &login_body(till), &signer.prove("POST", &uri(LOGIN), &nonce, None));
        let (status, _, body) = http_client::send_request(&mut http_client::connect(address), &request);
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
        let tokens = Tokens::parse(&body).unwrap();
        Self { signer, tokens, nonce, call: ProvenCall::Refresh }
    }

    /// Gives all of them a nonce that is accepted during the next round, and the call to make.
    fn prepare(clients: &mut [Self], address: &str, call: ProvenCall) {
        let nonce: Arc<str> = fetch_nonce(address).into();
        for client in clients {
            client.nonce = Arc::clone(&nonce);
            client.call = call;
        }
    }
}

impl LoadClient for ProvingClient {
    fn write_request(&mut self, request: &mut Vec<u8>) {
        match self.call {
            ProvenCall::Refresh => {
                let body = format!("{{\"refresh_token\":\"{}\"}}", self.tokens.refresh);
                let proof = self.signer.prove("POST", &uri(REFRESH), &self.nonce, None);
                write_proven_post(request, REFRESH, &body, &proof);
            }
            ProvenCall::Current => {
                let access = &self.tokens.access;
                let proof = self.signer.prove("GET", &uri(CURRENT), &self.nonce, Some(access));
                let head = format!(
                    "GET {CURRENT} HTTP/1.1\r\nhost: till.example\r\nauthorization: DPoP {access}\r\ndpop: {proof}\r\n\r\n"
                );
                request.extend_from_slice(head.as_bytes());
            }
        }
    }

    fn read_response(&mut self, status: u16, body: &[u8]) -> bool {
        if status != 200 || self.call == ProvenCall::Current {
            return status == 200;
        }
        // a response with the same refresh token was not a rotation, which is what is measured
        match Tokens::parse(body) {
            Some(tokens) if tokens.refresh != self.tokens.refresh => self.tokens = tokens,
            _ => return false,
        }
        true
    }
}

fn uri(path: &str) -> String {
    format!("{ORIGIN}{path}")
}

/// Fetches the current nonce of the server, which it sends with every response to a proof.
fn fetch_nonce(address: &str) -> String {
    let request = format!("GET {CURRENT} HTTP/1.1\r\nhost: till.example\r\ndpop: none\r\n\r\n");
    let (_, head, _) = http_client::send_request(&mut http_client::connect(address), request.as_bytes());
    let nonce = head.lines().find_map(|line| line.strip_prefix("dpop-nonce: "));
    nonce.unwrap_or_else(|| panic!("a response without a nonce: {head}")).to_owned()
}

/// Writes a POST request with a JSON body and a proof.
fn write_proven_post(request: &mut Vec<u8>, path: &str, body: &str, proof: &str) {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: till.example\r\ndpop: {proof}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    request.extend_from_slice(head.as_bytes());
}
