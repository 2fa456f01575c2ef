//! The server while it runs: binds, says where it listens, serves, and takes itself down in good order.

mod gauges;
mod signals;

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::HttpServer;
use actix_web::dev::{Server, ServerHandle};
use rustls::ServerConfig;
use serde_json::json;
use tillgate_auth_core::auth::Auth;
use tillgate_domain::office;
use tillgate_http::{Http, Metrics, Mounts};
use tillgate_persistence::{Address, Database};

use crate::command::{Stop, print};
use crate::configuration::Settings;
use crate::mail::Resets;
use crate::sealing::Sealing;
use crate::sweeping::Sweeping;
use crate::{compose, exposure, first_admin, logging, tls, unserved};

/// What a server is made of.
pub(crate) struct Parts {
    pub(crate) database: Arc<Database>,
    pub(crate) auth: Arc<Auth>,
    pub(crate) mounts: Mounts,
    /// Whether to say in JSON where it listens.
    pub(crate) json: bool,
}

/// What is done behind the listening server before anything that needs the engine is served. It hears the server's address and
/// returns what to print then.
pub(crate) type Behind = Box<dyn FnOnce(&str) -> Result<String, Stop> + Send>;

/// Runs the server until a signal ends it.
pub(crate) fn run(settings: &Settings, parts: Parts, behind: Option<Behind>) -> Result<(), Stop> {
    let Parts { database, auth, mounts, json } = parts;
    let tls = tls::server(settings)?;
    let metrics = Metrics::new(gauges::gauges(&database, &auth));
    let http =
        Http::new(Arc::clone(&auth), Arc::clone(&database) as _, mounts, compose::http_settings(settings), metrics);
    if behind.is_some() {
        http.gate().shut();
    }
    let mailing = Resets::start(settings, &database, &auth)?;
    let sweeping = Sweeping::start(&database, &auth)?;
    unserved::warn(settings, &auth)?;
    let sealing = Sealing::start(settings, &database, &auth)?;
    let nobody = behind.is_none() && !office::any_user(&*database).map_err(Stop::failed)?;
    let served = actix_web::rt::System::new().block_on(async {
        let (server, address) = bind(settings, &http, tls.clone())?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{address}");
        let operations = match exposure::operations(settings) {
            Some(listen) => {
                let bound = bind_operations(settings, &http, listen, tls);
                Some(bound.map_err(|stop| Stop::usage(format!("operations.listen: {stop}")))?)
            }
            None => None,
        };
        actix_web::rt::spawn(logging::report_unparsable());
        let handles: Vec<ServerHandle> =
            [Some(server.handle()), operations.as_ref().map(|(server, _)| server.handle())]
                .into_iter()
                .flatten()
                .collect();
        let operations_url = operations.as_ref().map(|(_, address)| format!("{scheme}://{address}"));
        if let Some((operations, _)) = operations {
            actix_web::rt::spawn(operations);
        }
        signals::stop_on_signal(handles.clone())?;
        say(json, &url, operations_url.as_deref());
        if nobody && !json {
            let elsewhere = matches!(compose::address(settings)?, Address::Postgres(_));
            print::out(&first_admin::hint(&settings.server.data, elsewhere));
        }
        let behind = behind.map(|behind| start(behind, &http, url, handles, json));
        server.await.map_err(Stop::failed)?;
        match behind {
            Some(behind) => behind.await.map_err(Stop::failed)?,
            None => Ok(()),
        }
    });
    // in this order: what is mailed or swept last is sealed too, and nobody writes any more when the database is closed
    drop((mailing, sweeping));
    drop(sealing);
    let left = auth.leave().map_err(Stop::failed);
    if let Err(error) = database.close() {
        tracing::warn!(%error, "the write-ahead log stays beside the database: copy both files");
    }
    served.and(left)
}

/// Does what is to be done behind the server on a thread of its own; where it fails, the server stops.
fn start(
    behind: Behind,
    http: &Http,
    url: String,
    handles: Vec<ServerHandle>,
    json: bool,
) -> actix_web::rt::task::JoinHandle<Result<(), Stop>> {
    let gate = http.gate();
    actix_web::rt::spawn(async move {
        let done =
            actix_web::rt::task::spawn_blocking(move || behind(&url)).await.map_err(Stop::failed).and_then(|done| done);
        match done {
            Ok(text) => {
                gate.open();
                if !json {
                    print::out(&text);
                }
                Ok(())
            }
            Err(stop) => {
                for handle in handles {
                    handle.stop(false).await;
                }
                Err(stop)
            }
        }
    })
}

fn say(json: bool, url: &str, operations: Option<&str>) {
    print::answer(json, &format!("listening on {url}"), &json!({ "listening": url, "operations": operations }));
    if let (Some(operations), false) = (operations, json) {
        print::out(&format!("health and metrics on {operations}"));
    }
}

macro_rules! bound {
    ($settings:expr, $factory:expr, $listen:expr, $tls:expr, $workers:expr) => {{
        let (settings, listen) = ($settings, $listen);
        let server = HttpServer::new($factory)
            .disable_signals()
            .shutdown_timeout(settings.server.grace.as_secs())
            .client_request_timeout(settings.limits.head)
            .keep_alive(settings.limits.keep_alive)
            .max_connections(usize::try_from(settings.limits.connections).unwrap_or(usize::MAX));
        let server = match usize::try_from($workers) {
            Ok(workers) if workers > 0 => server.workers(workers),
            _ => server,
        };
        let bound = match $tls {
            Some(tls) => server.bind_rustls_0_23(listen, tls),
            None => server.bind(listen),
        };
        let server = bound.map_err(|error| Stop::failed(format!("cannot listen on {listen}: {error}")))?;
        let address = server.addrs().first().copied().unwrap_or(listen);
        Ok((server.run(), address))
    }};
}

fn bind(settings: &Settings, http: &Http, tls: Option<ServerConfig>) -> Result<(Server, SocketAddr), Stop> {
    let http = http.clone();
    bound!(settings, move || http.app(), settings.server.listen, tls, settings.server.workers)
}

fn bind_operations(
    settings: &Settings,
    http: &Http,
    listen: SocketAddr,
    tls: Option<ServerConfig>,
) -> Result<(Server, SocketAddr), Stop> {
    let http = http.clone();
    bound!(settings, move || http.operations(), listen, tls, 1u32)
}
