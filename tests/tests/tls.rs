//! TLS with real certificates: what a till sends to the server, and what the server sends to PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tillgate_testkit::postgres::Server;
use tillgate_tests::{Engine, Installation, PASSWORD, Running, eventually};

/// Files of an authority and of one whom it vouches for at `localhost` and 127.0.0.1.
struct Papers {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

fn papers(folder: &Path) -> Papers {
    std::fs::create_dir_all(folder).unwrap();
    let mut issuing = CertificateParams::new(Vec::<String>::new()).unwrap();
    issuing.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Whoever bears the name of their issuer is taken for their own.
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
    Papers {
        authority: written("authority.pem", authority.pem()),
        certificate: written("server.pem", certificate.pem()),
        key: written("server.key", key.serialize_pem()),
    }
}

/// What `curl` prints, and whether it was content. It trusts this authority and no other.
fn curl(authority: &Path, arguments: &[&str]) -> (bool, String) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20", "--cacert"]).arg(authority).args(arguments);
    let output = curl.output().expect("curl is needed: tests/run installs it");
    (output.status.success(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_till_logs_in_over_tls() {
    let shop = Installation::with_shop(Engine::Sqlite);
    let (ours, foreign) = (papers(&shop.folder().join("ours")), papers(&shop.folder().join("foreign")));
    let shop = shop
        .with_setting("SERVER__TLS_CERT", ours.certificate.to_str().unwrap())
        .with_setting("SERVER__TLS_KEY", ours.key.to_str().unwrap());
    let server = Running::start_unready(&shop, &["serve"]);
    let address = server.address();
    assert!(address.starts_with("https://127.0.0.1:"), "{address}");
    let ready = format!("{address}/readyz");
    eventually(Duration::from_secs(30), "readiness", || curl(&ours.authority, &["--fail", &ready]).0);

    let body = format!(r#"{{"login": "cashier", "password": "{PASSWORD}", "device": "P01"}}"#);
    let json = "content-type: application/json";
    let sessions = format!("{address}/api/v1/sessions");
    let (_, answer) = curl(&ours.authority, &["--fail", "--header", json, "--data", &body, &sessions]);
    assert!(answer.contains(r#""token_type":"Bearer""#), "{answer}");

    let (_, head) = curl(&ours.authority, &["--head", &ready]);
    assert!(head.to_ascii_lowercase().contains("strict-transport-security: max-age=31536000"), "{head}");
    let (trusted, said) = curl(&foreign.authority, &[&ready]);
    assert!(!trusted && said.contains("certificate"), "{said}");
    let (answered, said) = curl(&ours.authority, &["--fail", &ready.replace("https:", "http:")]);
    assert!(!answered, "without TLS it answers: {said}");
}

#[test]
fn a_key_that_does_not_go_with_its_certificate_is_named() {
    let shop = Installation::new(Engine::Sqlite);
    shop.succeed(&["init"], "");
    let (ours, foreign) = (papers(&shop.folder().join("ours")), papers(&shop.folder().join("foreign")));
    let shop = shop
        .with_setting("SERVER__TLS_CERT", ours.certificate.to_str().unwrap())
        .with_setting("SERVER__TLS_KEY", foreign.key.to_str().unwrap());
    let output = shop.run(&["serve", "--listen", "127.0.0.1:0"], "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("server.tls_cert") && said.contains("server.pem") && said.contains("does not go with"),
        "{said}"
    );
}

#[test]
fn postgresql_is_spoken_to_over_tls_and_only_where_it_proves_itself() {
    let folder = std::env::temp_dir().join(format!("tillgate-test-tls-{}", std::process::id()));
    let (ours, foreign) = (papers(&folder.join("ours")), papers(&folder.join("foreign")));
    let postgres = Server::start(&["ssl = off"]).unwrap();
    postgres.prove_itself_by(&ours.certificate, &ours.key).unwrap();
    let address = |authority: &Path| {
        let database = postgres.create_database();
        format!("{database}?sslmode=verify-full&sslrootcert={}", authority.display())
    };

    let shop = Installation::over(Engine::Postgres, address(&ours.authority)).with_every_feature();
    shop.make_shop();
    let server = shop.serve();
    server.till().login("cashier", "P01");
    let safe = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname LIKE 'shop_%' AND";
    assert_ne!(postgres.sql("postgres", &format!("{safe} ssl")).unwrap(), "0");
    assert_eq!(postgres.sql("postgres", &format!("{safe} NOT ssl")).unwrap(), "0");

    let deceived = Installation::over(Engine::Postgres, address(&foreign.authority)).with_every_feature();
    let output = deceived.run(&["serve", "--listen", "127.0.0.1:0"], "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("certificate verify failed"), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}
