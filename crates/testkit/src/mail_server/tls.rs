//! TLS of the mail server.

use std::net::TcpStream;
use std::sync::{Arc, LazyLock};

use rcgen::CertifiedKey;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The certificate, and a configuration with it.
static TLS: LazyLock<(CertificateDer<'static>, Arc<ServerConfig>)> = LazyLock::new(|| {
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (cert.der().clone(), Arc::new(config))
});

pub(super) fn certificate_der() -> Vec<u8> {
    TLS.0.to_vec()
}

/// Accepts TLS on a socket. The handshake begins with the first read.
pub(super) fn accept(socket: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(Arc::clone(&TLS.1)).unwrap(), socket)
}
