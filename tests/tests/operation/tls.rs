//! TLS with real certificates: from tills to the server, and from the server to PostgreSQL.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tillgate_testkit::TestFolder;
use tillgate_testkit::postgres::Server;
use tillgate_tests::{DatabaseEngine, Installation, PASSWORD, RunningServer, now, wait_until};

/// The files of a certificate authority and of a certificate for `localhost` and 127.0.0.1.
struct TestCertificates {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

fn create_certificates(folder: &Path) -> TestCertificates {
    std::fs::create_dir_all(folder).unwrap();
    let mut issuing = CertificateParams::new(Vec::<String>::new()).unwrap();
    issuing.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A certificate with the name of its issuer would be taken for the issuer's own.
    issuing.distinguished_name.push(DnType::CommonName, format!("the authority of {}", folder.display()));
    let authority = CertifiedIssuer::self_signed(issuing, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let written = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    TestCertificates {
        authority: written("authority.pem", authority.pem()),
        certificate: written("server.pem", certificate.pem()),
        key: written("server.key", key.serialize_pem()),
    }
}

/// The output of `curl` and whether it succeeded. It trusts this authority only.
fn run_curl(authority: &Path, arguments: &[&str]) -> (bool, String) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20", "--cacert"]).arg(authority).args(arguments);
    let output = curl.output().expect("curl is needed: tests/run installs it");
    (output.status.success(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr))
}

#[test]
#[ignore = "requires curl"]
fn till_logs_in_over_tls() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let (ours, foreign) = (
        create_certificates(&installation.folder().join("ours")),
        create_certificates(&installation.folder().join("foreign")),
    );
    let installation = installation
        .with_setting("SERVER__TLS_CERT", ours.certificate.to_str().unwrap())
        .with_setting("SERVER__TLS_KEY", ours.key.to_str().unwrap());
    let server = RunningServer::start_unready(&installation, &["serve"]);
    let address = server.address();
    assert!(address.starts_with("https://127.0.0.1:"), "{address}");
    let ready = format!("{address}/readyz");
    wait_until(Duration::from_secs(30), "readiness", || run_curl(&ours.authority, &["--fail", &ready]).0);

    let body = format!(r#"{{"login": "cashier", "password": "{PASSWORD}", "device": "P01"}}"#);
    let json = "content-type: application/json";
    let sessions = format!("{address}/api/v1/sessions");
    let (_, response) = run_curl(&ours.authority, &["--fail", "--header", json, "--data", &body, &sessions]);
    assert!(response.contains(r#""token_type":"Bearer""#), "{response}");

    let (_, head) = run_curl(&ours.authority, &["--head", &ready]);
    assert!(head.to_ascii_lowercase().contains("strict-transport-security: max-age=31536000"), "{head}");
    let (trusted, said) = run_curl(&foreign.authority, &[&ready]);
    assert!(!trusted && said.contains("certificate"), "{said}");
    let (answered, said) = run_curl(&ours.authority, &["--fail", &ready.replace("https:", "http:")]);
    assert!(!answered, "without TLS it answers: {said}");
}

/// The certificate of a new connection, as its fingerprint in `openssl`'s output.
fn shown_certificate(address: &str) -> String {
    let script = "openssl s_client -connect \"$1\" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256";
    let output = Command::new("sh").args(["-c", script, "sh", address]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "requires curl and OpenSSL"]
fn renewed_certificate_is_served_and_open_connections_continue() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let used = create_certificates(&installation.folder().join("used"));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let installation = installation
        .with_setting("SERVER__TLS_CERT", &path(&used.certificate))
        .with_setting("SERVER__TLS_KEY", &path(&used.key))
        .with_setting("SERVER__TLS_RELOAD", "1s");
    let server = RunningServer::start_unready(&installation, &["serve"]);
    let address = server.address().trim_start_matches("https://").to_owned();
    let ready = format!("https://{address}/readyz");
    let metrics = format!("https://{address}/metrics");
    wait_until(Duration::from_secs(30), "readiness", || run_curl(&used.authority, &["--fail", &ready]).0);
    let replace = |by: &TestCertificates| {
        std::fs::copy(&by.key, &used.key).unwrap();
        std::fs::copy(&by.certificate, &used.certificate).unwrap();
    };
    let hang_up = || {
        let pid = rustix::process::Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    };
    let first = shown_certificate(&address);

    // a connection that stays open, with the first certificate
    let script = "(printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n'; cat) | openssl s_client -quiet -connect \"$1\" 2>/dev/null";
    let mut open = Command::new("sh")
        .args(["-c", script, "sh", &address])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();

    replace(&create_certificates(&installation.folder().join("renewed")));
    wait_until(Duration::from_secs(20), "the new files to be found", || shown_certificate(&address) != first);
    let second = shown_certificate(&address);

    // a certificate and a key that do not match change nothing
    std::fs::copy(&create_certificates(&installation.folder().join("foreign")).key, &used.key).unwrap();
    hang_up();
    wait_until(Duration::from_secs(20), "the complaint", || {
        server.read_log().contains("the previous one stays in use")
    });
    assert_eq!(shown_certificate(&address), second);

    let third = create_certificates(&installation.folder().join("third"));
    replace(&third);
    hang_up();
    wait_until(Duration::from_secs(20), "the new certificate", || run_curl(&third.authority, &["--fail", &ready]).0);
    let (_, text) = run_curl(&third.authority, &[&metrics]);
    let expires: f64 = text
        .lines()
        .find_map(|line| line.strip_prefix("tillgate_tls_certificate_expires_seconds "))
        .unwrap()
        .parse()
        .unwrap();
    assert!(expires > 1_800_000_000.0, "{expires}");

    let mut input = open.stdin.take().unwrap();
    input.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    // the shell waits for the reader of its input
    drop(input);
    let mut said = String::new();
    open.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said.matches("HTTP/1.1 200").count(), 2, "{said}");
    open.wait().unwrap();

    let doctor = String::from_utf8(installation.run(&["doctor"], "").stdout).unwrap();
    assert!(doctor.contains("ok    certificate: expires on "), "{doctor}");
}

#[test]
fn mismatched_key_and_certificate_are_named() {
    let installation = Installation::new(DatabaseEngine::Sqlite);
    installation.run_ok(&["init"], "");
    let (ours, foreign) = (
        create_certificates(&installation.folder().join("ours")),
        create_certificates(&installation.folder().join("foreign")),
    );
    let installation = installation
        .with_setting("SERVER__TLS_CERT", ours.certificate.to_str().unwrap())
        .with_setting("SERVER__TLS_KEY", foreign.key.to_str().unwrap());
    let output = installation.run(&["serve", "--listen", "127.0.0.1:0"], "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("server.tls_cert") && said.contains("server.pem") && said.contains("does not match"),
        "{said}"
    );
}

#[test]
#[ignore = "requires OpenSSL and PostgreSQL"]
fn postgresql_over_tls_requires_a_valid_certificate() {
    let folder = TestFolder::new();
    let (ours, foreign) = (create_certificates(&folder.join("ours")), create_certificates(&folder.join("foreign")));
    let postgres = Server::start(&["ssl = off"]).unwrap();
    postgres.use_certificate(&ours.certificate, &ours.key).unwrap();
    let address = |authority: &Path| {
        let database = postgres.create_database();
        format!("{database}?sslmode=verify-full&sslrootcert={}", authority.display())
    };

    let installation =
        Installation::with_database(DatabaseEngine::Postgres, address(&ours.authority)).with_every_feature();
    installation.create_demo_shop();
    let server = installation.serve();
    server.new_till().login("cashier", "P01");
    let safe = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname LIKE 'shop_%' AND";
    assert_ne!(postgres.sql("postgres", &format!("{safe} ssl")).unwrap(), "0");
    assert_eq!(postgres.sql("postgres", &format!("{safe} NOT ssl")).unwrap(), "0");

    let deceived =
        Installation::with_database(DatabaseEngine::Postgres, address(&foreign.authority)).with_every_feature();
    let output = deceived.run(&["serve", "--listen", "127.0.0.1:0"], "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("certificate verify failed"), "{said}");
}

#[test]
#[ignore = "requires curl and OpenSSL"]
fn client_that_sends_nothing_after_its_handshake_is_not_held() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let papers = create_certificates(&installation.folder().join("ours"));
    let installation = installation
        .with_setting("SERVER__TLS_CERT", papers.certificate.to_str().unwrap())
        .with_setting("SERVER__TLS_KEY", papers.key.to_str().unwrap())
        .with_setting("LIMITS__HEAD", "1s");
    let server = RunningServer::start_unready(&installation, &["serve"]);
    let address = server.address();
    wait_until(Duration::from_secs(30), "readiness", || {
        run_curl(&papers.authority, &["--fail", &format!("{address}/readyz")]).0
    });
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", address.trim_start_matches("https://")])
        // it stays open, so the client ends only if the server does
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let held = client.stdin.take();
    let mut is_over = || client.try_wait().unwrap().is_some();
    let begun = now();
    while !is_over() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let over = is_over();
    client.kill().unwrap();
    client.wait().unwrap();
    drop(held);
    assert!(over, "the connection is still open after {:?}", begun.elapsed());
}
