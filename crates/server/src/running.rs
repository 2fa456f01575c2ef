//! The server while it runs: binds, says where it listens, serves, and takes itself down in good order.

mod gauges;
mod reloading;
mod signals;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use rustls::ServerConfig;
use serde_json::json;
use tillgate_auth_core::auth::Auth;
use tillgate_domain::office;
use tillgate_http::{Http, Metrics, Mounts};
use tillgate_persistence::Database;

use crate::command::{Stop, print};
use crate::configuration::Settings;
use crate::listener::{self, Bound, Handle, Options, Server};
use crate::mail::Resets;
use crate::sealing::Sealing;
use crate::sweeping::Sweeping;
use crate::version::VERSION;
use crate::{compose, descriptors, exposure, first_admin, logging, priority, startup, tls, unknown_tenants, unserved};

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
    let certificate = tls::certificate(settings)?;
    let tls = certificate.as_ref().map(tls::server).transpose()?;
    let metrics = Metrics::new(gauges::gauges(settings, &database, &auth, &mounts, certificate.as_ref()));
    let http = Http::new(
        Arc::clone(&auth),
        Arc::clone(&database) as _,
        mounts,
        compose::http_settings(settings),
        Arc::clone(&metrics),
    );
    if behind.is_some() {
        http.gate().shut();
    }
    let mailing = Resets::start(settings, &database, &auth)?;
    let sweeping = Sweeping::start(&database, &auth)?;
    unserved::warn(settings, &auth)?;
    unknown_tenants::warn(settings, &*database);
    let sealing = Sealing::start(settings, &database, &auth)?;
    let nobody = behind.is_none() && !office::any_user(&*database).map_err(Stop::failed)?;
    let served = actix_web::rt::System::new().block_on(async {
        let workers = compose::workers(settings);
        let only_from = exposure::only_from(settings);
        let main = bind(
            "server.listen",
            settings.server.listen,
            Options { only_from, ..options(settings, tls.clone(), workers, priority::SERVING) },
        )?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", main.address());
        let operations = match exposure::operations(settings) {
            Some(listen) => Some(bind("operations.listen", listen, options(settings, tls, 1, priority::OPERATIONS))?),
            None => None,
        };
        let operations_url = operations.as_ref().map(|bound| format!("{scheme}://{}", bound.address()));
        descriptors::raise(u64::from(settings.limits.connections).saturating_mul(workers as u64));
        let server = {
            let http = http.clone();
            main.serve(move || http.app(), Arc::clone(&metrics)).map_err(Stop::failed)?
        };
        let operations = match operations {
            Some(bound) => {
                let http = http.clone();
                Some(bound.serve(move || http.operations(), metrics).map_err(Stop::failed)?)
            }
            None => None,
        };
        actix_web::rt::spawn(logging::report_unparsable());
        let handles: Vec<Handle> =
            [Some(server.handle()), operations.as_ref().map(Server::handle)].into_iter().flatten().collect();
        signals::stop_on_signal(handles.clone())?;
        announce(settings, &url);
        reloading::start(settings, certificate)?;
        say(json, &url, operations_url.as_deref());
        if nobody && !json {
            print::out(&first_admin::hint(settings));
        }
        let behind = behind.map(|behind| start(behind, &http, url, handles, json));
        server.stopped().await.map_err(Stop::failed)?;
        if let Some(operations) = operations {
            operations.stopped().await.map_err(Stop::failed)?;
        }
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
    handles: Vec<Handle>,
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
                    handle.stop(false);
                }
                Err(stop)
            }
        }
    })
}

/// The line of the log that says what has started, and with what.
fn announce(settings: &Settings, url: &str) {
    let mounts: Vec<String> =
        settings.mounts.iter().map(|mount| format!("{}:{}", mount.dialect, mount.prefix)).collect();
    tracing::info!(
        version = VERSION.as_str(),
        data = %settings.server.data.display(),
        database = compose::place(settings).unwrap_or_default(),
        listening = url,
        mounts = mounts.join(" "),
        access_rows = settings.access.len(),
        "tillgate serves"
    );
}

fn say(json: bool, url: &str, operations: Option<&str>) {
    print::answer(json, &format!("listening on {url}"), &json!({ "listening": url, "operations": operations }));
    if let (Some(operations), false) = (operations, json) {
        print::out(&format!("health and metrics on {operations}"));
    }
}

/// How the listeners serve.
fn options(settings: &Settings, tls: Option<Arc<ServerConfig>>, workers: usize, priority: i32) -> Options {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let limits = &settings.limits;
    let mut uncounted = settings.server.proxies.clone();
    // this machine's own: a proxy that no setting names, probes, tests of load
    uncounted.extend(
        [IpNet::new(Ipv4Addr::LOCALHOST.into(), 8), IpNet::new(Ipv6Addr::LOCALHOST.into(), 128)].into_iter().flatten(),
    );
    Options {
        tls,
        workers,
        priority,
        blocking_threads: count(limits.threads),
        connections: count(limits.connections),
        per_network: count(limits.per_network),
        uncounted,
        only_from: Vec::new(),
        head: limits.head,
        keep_alive: limits.keep_alive,
        write: limits.write,
        grace: settings.server.grace,
    }
}

fn bind(key: &str, listen: SocketAddr, options: Options) -> Result<Bound, Stop> {
    listener::bind(listen, options).map_err(|error| startup::unbound(key, listen, &error))
}
