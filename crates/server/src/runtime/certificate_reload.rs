//! Reloads the certificate when its files change: every `server.tls_reload`, and on SIGHUP. Open
//! connections keep the certificate with which they began.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::sleep;
use tillgate_auth_core::{Clock, SystemClock};

use crate::command::CommandError;
use crate::configuration::Settings;
use crate::tls::{Certificate, Reload};

/// Starts the reload task on the current runtime. From then on, SIGHUP does not end the process.
pub(super) fn start_reloading(settings: &Settings, certificate: Option<Arc<Certificate>>) -> Result<(), CommandError> {
    let mut hangups = HangupSignal::listen()?;
    let every = settings.server.tls_reload;
    if let Some(certificate) = &certificate {
        certificate.log_expiry(SystemClock.now());
    }
    actix_web::rt::spawn(async move {
        loop {
            let signaled = wait_for_reload(&mut hangups, every).await;
            match certificate.clone() {
                Some(certificate) => {
                    drop(actix_web::rt::task::spawn_blocking(move || reload_certificate(&certificate, signaled)).await);
                }
                None if signaled => tracing::info!("SIGHUP: there is no certificate to reload (server.tls_cert)"),
                None => (),
            }
        }
    });
    Ok(())
}

/// Waits for the next reload and returns whether a signal requested it.
async fn wait_for_reload(hangups: &mut HangupSignal, every: Duration) -> bool {
    tokio::select! {
        () = sleep(every) => false,
        () = hangups.wait() => true,
    }
}

fn reload_certificate(certificate: &Certificate, signaled: bool) {
    match certificate.reload() {
        Ok(Reload::Reloaded) => certificate.log_expiry(SystemClock.now()),
        Ok(Reload::Unchanged) if signaled => tracing::info!("SIGHUP: the certificate is unchanged"),
        Ok(Reload::Unchanged) => (),
        Err(error) => tracing::error!(%error, "the new certificate cannot be used; the previous one stays in use"),
    }
}

#[cfg(unix)]
struct HangupSignal(tokio::signal::unix::Signal);

#[cfg(unix)]
impl HangupSignal {
    fn listen() -> Result<Self, CommandError> {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup()).map(Self).map_err(CommandError::failed)
    }

    async fn wait(&mut self) {
        let _ = self.0.recv().await;
    }
}

#[cfg(not(unix))]
struct HangupSignal;

#[cfg(not(unix))]
impl HangupSignal {
    fn listen() -> Result<Self, CommandError> {
        Ok(Self)
    }

    async fn wait(&mut self) {
        std::future::pending().await
    }
}
