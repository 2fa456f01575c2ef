//! TLS of the server, by rustls with ring. The certificate is reloaded when its files change; an
//! unusable new one does not replace a good one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tillgate_domain::Instant;

use crate::command::{CommandError, json};
use crate::configuration::Settings;
use crate::file_access::describe_open_error;

/// The certificate chain and its key, as they were when the files were last valid.
pub(crate) struct Certificate {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    loaded: RwLock<Arc<LoadedCertificate>>,
}

/// The content of the two files.
struct LoadedCertificate {
    certified: Arc<CertifiedKey>,
    expires: Instant,
    /// The bytes of the two files, to detect changes.
    read: [Vec<u8>; 2],
}

/// The result of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reload {
    /// The files are unchanged.
    Unchanged,
    /// New connections use the new certificate.
    Reloaded,
}

/// Loads the configured certificate, if there is one.
pub(crate) fn load_certificate(settings: &Settings) -> Result<Option<Arc<Certificate>>, CommandError> {
    match (&settings.server.tls_cert, &settings.server.tls_key) {
        (Some(cert), Some(key)) => Certificate::read(cert, key).map(Arc::new).map(Some),
        _ => Ok(None),
    }
}

/// The TLS configuration; each handshake uses the current certificate.
pub(crate) fn server_config(certificate: &Arc<Certificate>) -> Result<Arc<ServerConfig>, CommandError> {
    let config = ServerConfig::builder_with_provider(Arc::clone(&certificate.provider))
        .with_safe_default_protocol_versions()
        .map_err(CommandError::failed)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(certificate) as Arc<dyn ResolvesServerCert>);
    Ok(Arc::new(config))
}

impl Certificate {
    fn read(cert: &Path, key: &Path) -> Result<Self, CommandError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let loaded = read_files(cert, key, &provider)?;
        Ok(Self { cert: cert.to_owned(), key: key.to_owned(), provider, loaded: RwLock::new(Arc::new(loaded)) })
    }

    /// When the certificate expires.
    pub(crate) fn expires(&self) -> Instant {
        self.loaded().expires
    }

    /// Reads the files, and replaces the certificate if they changed and contain a valid
    /// certificate with its key.
    ///
    /// # Errors
    ///
    /// The files are not valid; the previous certificate stays in use.
    pub(crate) fn reload(&self) -> Result<Reload, CommandError> {
        let loaded = read_files(&self.cert, &self.key, &self.provider)?;
        if loaded.read == self.loaded().read {
            return Ok(Reload::Unchanged);
        }
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
        Ok(Reload::Reloaded)
    }

    /// Logs the expiry of the certificate.
    pub(crate) fn log_expiry(&self, now: Instant) {
        let (path, expires) = (self.cert.display(), self.expires());
        let until = json::format_instant(expires);
        if expires <= now {
            tracing::error!(%path, until, "the certificate has expired: clients refuse to connect");
        } else {
            tracing::info!(%path, until, "using this certificate");
        }
    }

    fn loaded(&self) -> Arc<LoadedCertificate> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.loaded().certified))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("cert", &self.cert).field("key", &self.key).finish_non_exhaustive()
    }
}

fn read_files(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<LoadedCertificate, CommandError> {
    let failed = |setting: &str, path: &Path, why: &dyn fmt::Display| {
        CommandError::usage(format!("{setting}: {}: {why}", path.display()))
    };
    let of_cert = |why: &dyn fmt::Display| failed("server.tls_cert", cert, why);
    let of_key = |why: &dyn fmt::Display| failed("server.tls_key", key, why);
    let chain_text = std::fs::read(cert).map_err(|error| of_cert(&describe_open_error(cert, &error)))?;
    let key_text = std::fs::read(key).map_err(|error| of_key(&describe_open_error(key, &error)))?;
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&chain_text).collect::<Result<_, _>>().map_err(|error| of_cert(&error))?;
    let Some(first) = chain.first() else { return Err(of_cert(&"it contains no certificate")) };
    let expires = expiry(first).ok_or_else(|| of_cert(&"its first certificate cannot be read"))?;
    let private = PrivateKeyDer::from_pem_slice(&key_text).map_err(|error| of_key(&error))?;
    let certified = CertifiedKey::from_der(chain, private, provider)
        .map_err(|error| of_cert(&format_args!("does not match {}: {error}", key.display())))?;
    Ok(LoadedCertificate { certified: Arc::new(certified), expires, read: [chain_text, key_text] })
}

/// The expiry of a certificate (RFC 5280, section 4.1.2.5: `notAfter`).
fn expiry(certificate: &CertificateDer<'_>) -> Option<Instant> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(Instant::from_millis(parsed.validity().not_after.timestamp().saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use tillgate_testkit::TestFolder;

    use super::*;

    /// Writes a certificate that expires at the start of `year`, and its key.
    fn write_certificate(folder: &Path, year: i32) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        std::fs::write(folder.join("cert.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    }

    #[test]
    fn new_certificate_is_loaded_and_invalid_one_is_not() {
        let folder = TestFolder::new();
        write_certificate(&folder, 2100);
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let certificate = Certificate::read(&cert, &key).unwrap();
        assert_eq!(json::format_instant(certificate.expires()), "2100-01-01T00:00:00.000Z");
        assert_eq!(certificate.reload().unwrap(), Reload::Unchanged);
        let first = certificate.loaded().certified.clone();

        // a renewal writes the chain before its key: for a moment the two do not match
        let old_key = std::fs::read(&key).unwrap();
        write_certificate(&folder, 2101);
        let new_key = std::fs::read(&key).unwrap();
        std::fs::write(&key, old_key).unwrap();
        assert!(certificate.reload().unwrap_err().to_string().contains("does not match"));
        assert!(Arc::ptr_eq(&certificate.loaded().certified, &first));
        std::fs::write(&key, new_key).unwrap();
        assert_eq!(certificate.reload().unwrap(), Reload::Reloaded);
        assert_eq!(json::format_instant(certificate.expires()), "2101-01-01T00:00:00.000Z");

        for (path, content, expected) in [
            (&key, "", "server.tls_key"),
            (&cert, "", "it contains no certificate"),
            (&cert, "-----BEGIN", "server.tls_cert"),
        ] {
            let good = std::fs::read(path).unwrap();
            std::fs::write(path, content).unwrap();
            let why = certificate.reload().unwrap_err().to_string();
            assert!(why.contains(expected), "{why}");
            std::fs::write(path, good).unwrap();
        }
        std::fs::remove_file(&cert).unwrap();
        assert!(certificate.reload().is_err());
        assert_eq!(json::format_instant(certificate.expires()), "2101-01-01T00:00:00.000Z");
    }
}
