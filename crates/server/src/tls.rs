//! TLS of the server's own, by rustls on ring.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::command::Stop;
use crate::configuration::Settings;

/// What the server proves itself with, where the settings name it.
pub(crate) fn server(settings: &Settings) -> Result<Option<ServerConfig>, Stop> {
    match (&settings.server.tls_cert, &settings.server.tls_key) {
        (Some(cert), Some(key)) => read(cert, key).map(Some),
        _ => Ok(None),
    }
}

fn read(cert: &Path, key: &Path) -> Result<ServerConfig, Stop> {
    let failed = |setting: &str, path: &Path, why: String| Stop::usage(format!("{setting}: {}: {why}", path.display()));
    let of_cert = |why: String| failed("server.tls_cert", cert, why);
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| of_cert(error.to_string()))?;
    if chain.is_empty() {
        return Err(of_cert("there is no certificate in it".to_owned()));
    }
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| failed("server.tls_key", key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Stop::failed)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| of_cert(format!("does not go with {}: {error}", key.display())))
}
