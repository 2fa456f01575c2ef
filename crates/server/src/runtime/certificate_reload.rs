//! The certificate is looked at every `server.tls_reload` and at SIGHUP, and new files are taken over: connections that are open go on
//! with the certificate that they began with.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::sleep;
use tillgate_auth_core::{Clock, SystemClock};

use crate::command::CommandError;
use crate::configuration::Settings;
use crate::tls::{Certificate, Reload};

/// Starts to look, on the runtime of the caller. From now on SIGHUP ends nothing.
pub(super) fn start_reloading(settings: &Settings, certificate: Option<Arc<Certificate>>) -> Result<(), CommandError> {
    let mut hangups = HangupSignal::listen()?;
    let every = settings.server.tls_reload;
    if let Some(certificate) = &certificate {
        certificate.log_expiry(SystemClock.now());
    }
    actix_web::rt::spawn(async move {
        loop {
            let asked = wait_for_reload(&mut hangups, every).await;
            match certificate.clone() {
                Some(certificate) => {
                    drop(actix_web::rt::task::spawn_blocking(move || reload_certificate(&certificate, asked)).await);
                }
                None if asked => tracing::info!("SIGHUP: there is no certificate to read again (server.tls_cert)"),
                None => (),
            }
        }
    });
    Ok(())
}

/// Waits until the files are to be looked at, and says whether a signal asked for it.
async fn wait_for_reload(hangups: &mut HangupSignal, every: Duration) -> bool {
    tokio::select! {
        () = sleep(every) => false,
        () = hangups.wait() => true,
    }
}

fn reload_certificate(certificate: &Certificate, asked: bool) {
    match certificate.reload() {
        Ok(Reload::Reloaded) => certificate.log_expiry(SystemClock.now()),
        Ok(Reload::Unchanged) if asked => tracing::info!("SIGHUP: the certificate is as it was"),
        Ok(Reload::Unchanged) => (),
        Err(error) => tracing::error!(%error, "the new certificate cannot be used: the one of before stays"),
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
