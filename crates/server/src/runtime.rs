//! The server while it runs: binds, says where it listens, serves, and takes itself down in good order.

mod certificate_reload;
mod gauges;
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

use crate::audit_sealing::SealingThread;
use crate::command::{CommandError, print};
use crate::configuration::Settings;
use crate::key_sweeping::SweepingThread;
use crate::listener::{self, BoundListener, ListenerOptions, RunningListener, StopHandle};
use crate::mail::ResetMailThread;
use crate::version::VERSION;
use crate::{
    composition, exposure, first_admin, logging, open_files, priority, startup, tls, unknown_tenants, unserved_sessions,
};

/// What a server is made of.
pub(crate) struct ServerParts {
    pub(crate) database: Arc<Database>,
    pub(crate) auth: Arc<Auth>,
    pub(crate) mounts: Mounts,
    /// Whether to say in JSON where it listens.
    pub(crate) json: bool,
}

/// What is done behind the listening server before anything that needs the engine is served. It hears the server's address and
/// returns what to print then.
pub(crate) type StartupTask = Box<dyn FnOnce(&str) -> Result<String, CommandError> + Send>;

/// Runs the server until a signal ends it.
pub(crate) fn run_server(
    settings: &Settings,
    parts: ServerParts,
    behind: Option<StartupTask>,
) -> Result<(), CommandError> {
    let ServerParts { database, auth, mounts, json } = parts;
    let certificate = tls::load_certificate(settings)?;
    let tls = certificate.as_ref().map(tls::server_config).transpose()?;
    let metrics = Metrics::new(gauges::read_gauges(settings, &database, &auth, &mounts, certificate.as_ref()));
    let http = Http::new(
        Arc::clone(&auth),
        Arc::clone(&database) as _,
        mounts,
        composition::build_http_settings(settings),
        Arc::clone(&metrics),
    );
    if behind.is_some() {
        http.readiness_gate().close();
    }
    let mailing = ResetMailThread::start(settings, &database, &auth)?;
    let sweeping = SweepingThread::start(&database, &auth)?;
    unserved_sessions::warn_unserved_sessions(settings, &auth)?;
    unknown_tenants::warn_unknown_tenants(settings, &*database);
    let sealing = SealingThread::start(settings, &database, &auth)?;
    let nobody = behind.is_none() && !office::any_user_exists(&*database).map_err(CommandError::failed)?;
    let served = actix_web::rt::System::new().block_on(async {
        let workers = composition::worker_count(settings);
        let only_from = exposure::allowed_networks(settings);
        let main = bind_listener(
            "server.listen",
            settings.server.listen,
            ListenerOptions {
                allowed_networks: only_from,
                ..listener_options(settings, tls.clone(), workers, priority::SERVING_NICENESS)
            },
        )?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", main.address());
        let operations = match exposure::operations_address(settings) {
            Some(listen) => Some(bind_listener(
                "operations.listen",
                listen,
                listener_options(settings, tls, 1, priority::OPERATIONS_NICENESS),
            )?),
            None => None,
        };
        let operations_url = operations.as_ref().map(|bound| format!("{scheme}://{}", bound.address()));
        open_files::raise_limit(u64::from(settings.limits.connections).saturating_mul(workers as u64));
        let server = {
            let http = http.clone();
            main.serve(move || http.app(), Arc::clone(&metrics)).map_err(CommandError::failed)?
        };
        let operations = match operations {
            Some(bound) => {
                let http = http.clone();
                Some(bound.serve(move || http.operations_app(), metrics).map_err(CommandError::failed)?)
            }
            None => None,
        };
        actix_web::rt::spawn(logging::report_unparsable());
        let handles: Vec<StopHandle> =
            [Some(server.handle()), operations.as_ref().map(RunningListener::handle)].into_iter().flatten().collect();
        signals::stop_on_signal(handles.clone())?;
        log_start(settings, &url);
        certificate_reload::start_reloading(settings, certificate)?;
        print_addresses(json, &url, operations_url.as_deref());
        if nobody && !json {
            print::print_line(&first_admin::first_admin_hint(settings));
        }
        let behind = behind.map(|behind| spawn_startup_task(behind, &http, url, handles, json));
        server.wait_until_stopped().await.map_err(CommandError::failed)?;
        if let Some(operations) = operations {
            operations.wait_until_stopped().await.map_err(CommandError::failed)?;
        }
        match behind {
            Some(behind) => behind.await.map_err(CommandError::failed)?,
            None => Ok(()),
        }
    });
    // in this order: what is mailed or swept last is sealed too, and nobody writes any more when the database is closed
    drop((mailing, sweeping));
    drop(sealing);
    let left = auth.leave().map_err(CommandError::failed);
    if let Err(error) = database.close() {
        tracing::warn!(%error, "the write-ahead log stays beside the database: copy both files");
    }
    served.and(left)
}

/// Does what is to be done behind the server on a thread of its own; where it fails, the server stops.
fn spawn_startup_task(
    behind: StartupTask,
    http: &Http,
    url: String,
    handles: Vec<StopHandle>,
    json: bool,
) -> actix_web::rt::task::JoinHandle<Result<(), CommandError>> {
    let gate = http.readiness_gate();
    actix_web::rt::spawn(async move {
        let done = actix_web::rt::task::spawn_blocking(move || behind(&url))
            .await
            .map_err(CommandError::failed)
            .and_then(|done| done);
        match done {
            Ok(text) => {
                gate.open();
                if !json {
                    print::print_line(&text);
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
fn log_start(settings: &Settings, url: &str) {
    let mounts: Vec<String> =
        settings.mounts.iter().map(|mount| format!("{}:{}", mount.dialect, mount.prefix)).collect();
    tracing::info!(
        version = VERSION.as_str(),
        data = %settings.server.data.display(),
        database = composition::database_location(settings).unwrap_or_default(),
        listening = url,
        mounts = mounts.join(" "),
        access_rows = settings.access.len(),
        "tillgate serves"
    );
}

fn print_addresses(json: bool, url: &str, operations: Option<&str>) {
    print::print_answer(json, &format!("listening on {url}"), &json!({ "listening": url, "operations": operations }));
    if let (Some(operations), false) = (operations, json) {
        print::print_line(&format!("health and metrics on {operations}"));
    }
}

/// How the listeners serve.
fn listener_options(
    settings: &Settings,
    tls: Option<Arc<ServerConfig>>,
    workers: usize,
    priority: i32,
) -> ListenerOptions {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let limits = &settings.limits;
    let mut uncounted = settings.server.proxies.clone();
    // this machine's own: a proxy that no setting names, probes, tests of load
    uncounted.extend(
        [IpNet::new(Ipv4Addr::LOCALHOST.into(), 8), IpNet::new(Ipv6Addr::LOCALHOST.into(), 128)].into_iter().flatten(),
    );
    ListenerOptions {
        tls,
        workers,
        priority,
        blocking_threads: count(limits.threads),
        max_connections: count(limits.connections),
        max_per_network: count(limits.per_network),
        uncounted,
        allowed_networks: Vec::new(),
        head_timeout: limits.head,
        keep_alive: limits.keep_alive,
        write_timeout: limits.write,
        shutdown_grace: settings.server.grace,
    }
}

fn bind_listener(key: &str, listen: SocketAddr, options: ListenerOptions) -> Result<BoundListener, CommandError> {
    listener::bind(listen, options).map_err(|error| startup::bind_error(key, listen, &error))
}
