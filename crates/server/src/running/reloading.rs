//! The certificate is looked at every `server.tls_reload` and at SIGHUP, and new files are taken over: connections that are open go on
//! with the certificate that they began with.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::sleep;
use tillgate_auth_core::{Clock, SystemClock};

use crate::command::Stop;
use crate::configuration::Settings;
use crate::tls::{Certificate, Reload};

/// Starts to look, on the runtime of the caller. From now on SIGHUP ends nothing.
pub(super) fn start(settings: &Settings, certificate: Option<Arc<Certificate>>) -> Result<(), Stop> {
    let mut hangups = Hangups::listen()?;
    let every = settings.server.tls_reload;
    if let Some(certificate) = &certificate {
        certificate.announce(SystemClock.now());
    }
    actix_web::rt::spawn(async move {
        loop {
            let asked = wait(&mut hangups, every).await;
            match certificate.clone() {
                Some(certificate) => drop(actix_web::rt::task::spawn_blocking(move || look(&certificate, asked)).await),
                None if asked => tracing::info!("SIGHUP: there is no certificate to read again (server.tls_cert)"),
                None => (),
            }
        }
    });
    Ok(())
}

/// Waits until the files are to be looked at, and says whether a signal asked for it.
async fn wait(hangups: &mut Hangups, every: Duration) -> bool {
    tokio::select! {
        () = sleep(every) => false,
        () = hangups.arrive() => true,
    }
}

fn look(certificate: &Certificate, asked: bool) {
    match certificate.reload() {
        Ok(Reload::Reloaded) => certificate.announce(SystemClock.now()),
        Ok(Reload::Unchanged) if asked => tracing::info!("SIGHUP: the certificate is as it was"),
        Ok(Reload::Unchanged) => (),
        Err(error) => tracing::error!(%error, "the new certificate cannot be used: the one of before stays"),
    }
}

#[cfg(unix)]
struct Hangups(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Hangups {
    fn listen() -> Result<Self, Stop> {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup()).map(Self).map_err(Stop::failed)
    }

    async fn arrive(&mut self) {
        let _ = self.0.recv().await;
    }
}

#[cfg(not(unix))]
struct Hangups;

#[cfg(not(unix))]
impl Hangups {
    fn listen() -> Result<Self, Stop> {
        Ok(Self)
    }

    async fn arrive(&mut self) {
        std::future::pending().await
    }
}
