//! The running server: starts the background threads and listeners, serves requests, and shuts
//! everything down in order.

mod certificate_reload;
mod final_writes;
mod gauges;
mod signals;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use rustls::ServerConfig;
use serde_json::json;
use tillgate_auth_core::auth::Auth;
use tillgate_domain::{StoreResult, office};
use tillgate_http::{Http, Metrics, Mounts};
use tillgate_persistence::Database;

use crate::audit_sealing::SealingThread;
use crate::audit_verification::ServerVerifier;
use crate::command::{CommandError, print};
use crate::configuration::Settings;
use crate::listener::{self, BoundListener, ListenerOptions, RunningListener, StopHandle};
use crate::mail::{MailThread, UnsentMail};
use crate::main_thread::MainThread;
use crate::office_sweeping::SweepingThread;
use crate::startup::{ListenSetting, bind_error};
use crate::tls::Certificate;
use crate::version::VERSION;
use crate::{
    composition, exposure, first_admin, logging, open_files, priority, tls, ungranted_rights, unknown_tenants,
    unserved_sessions,
};
use final_writes::{FINAL_WRITES_TIMEOUT, FinalWrite};

/// The parts from which a server is assembled.
pub(crate) struct ServerParts {
    pub(crate) database: Arc<Database>,
    pub(crate) auth: Arc<Auth>,
    pub(crate) mounts: Mounts,
    /// Whether to print the addresses in JSON.
    pub(crate) json: bool,
}

/// A task that runs while the server already listens but does not serve requests that need the
/// engine yet.
pub(crate) struct StartupTask {
    /// Returns the first line to print, if there is one. It receives the server's URL.
    pub(crate) first_line: FirstLine,
    /// The work. It receives the server's URL.
    pub(crate) work: StartupWork,
}

/// Builds the first line of the output from the server's URL.
type FirstLine = Box<dyn FnOnce(&str) -> Option<String>>;

/// The work of a startup task.
type StartupWork = Box<dyn FnOnce(&str) -> Result<StartupOutcome, CommandError> + Send>;

impl StartupTask {
    /// Prints the first line, unless the output is JSON, and returns the work.
    fn announce(self, json: bool, url: &str) -> StartupWork {
        if let Some(line) = (self.first_line)(url).filter(|_| !json) {
            print::print_line(&line);
        }
        self.work
    }
}

/// The result of a startup task.
pub(crate) struct StartupOutcome {
    /// The text to print.
    pub(crate) text: String,
    /// What runs as long as the server serves. It is dropped when the server has stopped.
    pub(crate) background: Option<Box<dyn Send>>,
}

/// Counts the units of work of the database. The metrics hold the database for its gauges, so the
/// database holds them weakly.
fn report_units(database: &Database, metrics: &Arc<Metrics>) {
    let metrics = Arc::downgrade(metrics);
    database.observe_units(move |unit| {
        if let Some(metrics) = metrics.upgrade() {
            metrics.count_unit(unit.name, unit.outcome, unit.runs.saturating_sub(1), unit.duration);
        }
    });
}

/// A server that has everything but its listeners.
pub(crate) struct PreparedServer {
    database: Arc<Database>,
    auth: Arc<Auth>,
    http: Http,
    metrics: Arc<Metrics>,
    certificate: Option<Arc<Certificate>>,
    tls: Option<Arc<ServerConfig>>,
    mailing: MailThread,
    sweeping: SweepingThread,
    sealing: SealingThread,
    has_no_users: bool,
    json: bool,
}

/// Builds the web server from its parts and starts the background threads.
pub(crate) fn prepare_server(settings: &Settings, parts: ServerParts) -> Result<PreparedServer, CommandError> {
    let ServerParts { database, auth, mounts, json } = parts;
    let certificate = tls::load_certificate(settings)?;
    let tls = certificate.as_ref().map(tls::server_config).transpose()?;
    let metrics = Metrics::new(gauges::read_gauges(settings, &database, &auth, &mounts, certificate.as_ref()));
    report_units(&database, &metrics);
    let http = Http::new(
        Arc::clone(&auth),
        Arc::clone(&database) as _,
        mounts,
        composition::build_http_settings(settings),
        Arc::clone(&metrics),
    );
    http.set_audit_verifier(Arc::new(ServerVerifier::new(settings, &database, &auth)));
    let mailing = MailThread::start(settings, &database, &auth)?;
    let sweeping = SweepingThread::start(&database, &auth)?;
    unserved_sessions::warn_unserved_sessions(settings, &auth)?;
    warn_findings(
        unknown_tenants::find_unknown_tenants(settings, &*database),
        "every login and token there is rejected",
    );
    warn_findings(
        ungranted_rights::find_ungranted_rights(settings, &*database),
        "only administrators are allowed there",
    );
    let sealing = SealingThread::start(settings, &database, &auth)?;
    let has_no_users = !office::unguarded::any_user_exists(&*database).map_err(CommandError::failed)?;
    Ok(PreparedServer {
        database,
        auth,
        http,
        metrics,
        certificate,
        tls,
        mailing,
        sweeping,
        sealing,
        has_no_users,
        json,
    })
}

/// Logs a warning for each name in the configuration that the database does not have.
fn warn_findings(found: StoreResult<Vec<String>>, consequence: &str) {
    match found {
        Ok(found) => {
            for sentence in found {
                tracing::warn!("{sentence}: {consequence}");
            }
        }
        Err(error) => tracing::warn!(%error, "cannot compare the configuration with the database"),
    }
}

/// Runs the server until a signal stops it.
pub(crate) fn run_server(
    settings: &Settings,
    main_thread: MainThread,
    prepared: PreparedServer,
    startup_task: Option<StartupTask>,
) -> Result<(), CommandError> {
    let MainThread { runtime, signals } = main_thread;
    let json = prepared.json;
    if startup_task.is_some() {
        prepared.http.readiness_gate().close();
    }
    let served = runtime.block_on(async {
        let workers = composition::worker_count(settings);
        let allowed_networks = exposure::allowed_networks(settings);
        let main = bind_listener(
            ListenSetting::Server,
            settings.server.listen,
            ListenerOptions {
                allowed_networks,
                ..listener_options(settings, prepared.tls.clone(), workers, priority::SERVING_NICENESS)
            },
        )?;
        let scheme = if prepared.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", main.address());
        let operations = match exposure::operations_address(settings) {
            Some(listen) => Some(bind_listener(
                ListenSetting::Operations,
                listen,
                listener_options(settings, prepared.tls, 1, priority::OPERATIONS_NICENESS),
            )?),
            None => None,
        };
        let operations_url = operations.as_ref().map(|bound| format!("{scheme}://{}", bound.address()));
        open_files::raise_limit(u64::from(settings.limits.connections).saturating_mul(workers as u64));
        let server = {
            let http = prepared.http.clone();
            main.serve(move || http.app(), Arc::clone(&prepared.metrics)).map_err(CommandError::failed)?
        };
        let operations = match operations {
            Some(bound) => {
                let http = prepared.http.clone();
                Some(bound.serve(move || http.operations_app(), prepared.metrics).map_err(CommandError::failed)?)
            }
            None => None,
        };
        actix_web::rt::spawn(logging::report_unparsable());
        let handles: Vec<StopHandle> =
            [Some(server.handle()), operations.as_ref().map(RunningListener::handle)].into_iter().flatten().collect();
        signals::stop_on_signal(signals, handles.clone(), prepared.mailing.stop_handle());
        log_start(settings, &prepared.auth, &url);
        certificate_reload::start_reloading(settings, prepared.certificate)?;
        let startup_work = startup_task.map(|task| task.announce(json, &url));
        print_addresses(json, &url, operations_url.as_deref());
        if prepared.has_no_users && startup_work.is_none() {
            let link = first_admin::prepare_set_up(settings, &*prepared.database, &url, json);
            if !json {
                print::print_line(&first_admin::first_admin_hint(settings));
                if let Some(link) = link {
                    print::print_line(&link);
                }
            }
        } else if startup_work.is_none() {
            first_admin::remove_token_file(settings);
        }
        let startup = startup_work.map(|work| spawn_startup_work(work, &prepared.http, url, handles, json));
        server.wait_until_stopped().await.map_err(CommandError::failed)?;
        if let Some(operations) = operations {
            operations.wait_until_stopped().await.map_err(CommandError::failed)?;
        }
        match startup {
            Some(startup) => startup.await.map_err(CommandError::failed)?.map(drop),
            None => Ok(()),
        }
    });
    let unsent = runtime.block_on(prepared.mailing.wait_until_stopped(settings.server.grace));
    drop((runtime, prepared.sweeping));
    let writes = list_final_writes(unsent, prepared.sealing, prepared.auth, prepared.database);
    served.and(final_writes::run_final_writes(writes, FINAL_WRITES_TIMEOUT))
}

/// In this order: the sealer also seals the last events of mails and sweeps, and nothing writes any
/// more when the database is closed.
fn list_final_writes(
    unsent: Option<UnsentMail>,
    sealing: SealingThread,
    auth: Arc<Auth>,
    database: Arc<Database>,
) -> Vec<FinalWrite> {
    let unsent = unsent.map(|unsent| {
        FinalWrite::new("that a mail that was not sent is due again", move || unsent().map_err(CommandError::failed))
    });
    let writes = [
        FinalWrite::new("the seals of the last audit events, which the next server adds", move || {
            drop(sealing);
            Ok(())
        }),
        FinalWrite::new(
            "the last uses of sessions and API keys, the numbers of denied requests, and that this process has stopped",
            move || auth.leave().map_err(CommandError::failed),
        ),
        FinalWrite::new("on SQLite, the merge of the write-ahead log into the file", move || {
            if let Err(error) = database.close() {
                tracing::warn!(%error, "the write-ahead log could not be merged into the database: copy both files");
            }
            Ok(())
        }),
    ];
    unsent.into_iter().chain(writes).collect()
}

/// Runs the work of the startup task on a blocking thread and then opens the readiness gate; stops
/// the server if it fails.
fn spawn_startup_work(
    work: StartupWork,
    http: &Http,
    url: String,
    handles: Vec<StopHandle>,
    json: bool,
) -> actix_web::rt::task::JoinHandle<Result<Option<Box<dyn Send>>, CommandError>> {
    let gate = http.readiness_gate();
    actix_web::rt::spawn(async move {
        let done = actix_web::rt::task::spawn_blocking(move || work(&url))
            .await
            .map_err(CommandError::failed)
            .and_then(|done| done);
        match done {
            Ok(StartupOutcome { text, background }) => {
                gate.open();
                if !json {
                    print::print_line(&text);
                }
                Ok(background)
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

/// Logs what has started, with its version and settings, and its name in acknowledgments.
fn log_start(settings: &Settings, auth: &Auth, url: &str) {
    let mounts: Vec<String> =
        settings.mounts.iter().map(|mount| format!("{}:{}", mount.dialect, mount.prefix)).collect();
    tracing::info!(
        version = VERSION.as_str(),
        process = auth.process_id().short_name(),
        data = %settings.server.data.display(),
        database = composition::database_location(settings).unwrap_or_default(),
        listening = url,
        mounts = mounts.join(" "),
        access_rows = settings.access.len(),
        "tillgate is serving"
    );
}

fn print_addresses(json: bool, url: &str, operations: Option<&str>) {
    print::print_result(json, &format!("listening on {url}"), &json!({ "listening": url, "operations": operations }));
    if let (Some(operations), false) = (operations, json) {
        print::print_line(&format!("health and metrics on {operations}"));
    }
}

/// The options of a listener, from the settings.
fn listener_options(
    settings: &Settings,
    tls: Option<Arc<ServerConfig>>,
    workers: usize,
    priority: i32,
) -> ListenerOptions {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let limits = &settings.limits;
    let mut uncounted = settings.server.proxies.clone();
    // connections of this machine: a local proxy that is not configured, probes, load tests
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

fn bind_listener(
    setting: ListenSetting,
    listen: SocketAddr,
    options: ListenerOptions,
) -> Result<BoundListener, CommandError> {
    listener::bind(listen, options).map_err(|error| bind_error(setting, listen, &error))
}
