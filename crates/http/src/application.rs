//! Assembles the mounts to an application that each worker runs.

use std::fmt;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web::ServiceConfig;
use actix_web::{App, Error};
use tillgate_auth_core::Auth;
use tillgate_domain::office::OfficePorts;
use tillgate_domain::{Slug, Store};

use crate::api::native::Native;
use crate::api::oauth::OAuth;
use crate::api::office::OfficePages;
use crate::api::operations;
use crate::context::ServerContext;
use crate::context::audit_verifier::AuditVerifier;
use crate::context::event_hub::EventHub;
use crate::context::large_body_limiter::LargeBodyLimiter;
use crate::context::list_limiter::ListLimiter;
use crate::context::load_shedding;
use crate::context::readiness_gate::ReadinessGate;
use crate::context::threads::Threads;
use crate::metrics::Metrics;
use crate::openapi::Document;
use crate::serving::access_table::AccessTable;
use crate::serving::dialect::Dialect;
use crate::serving::mount::{Mount, Mounts};
use crate::serving::mount_service::MountService;
use crate::serving::registration::{register_routes, register_scope, unknown_route};
use crate::serving::request_layer::RequestLayer;
use crate::serving::route::RouteInfo;
use crate::settings::HttpSettings;

/// Everything that is served over HTTP. Cloning is cheap; each worker creates its application from
/// a clone.
#[derive(Clone)]
pub struct Http {
    server: Arc<ServerContext>,
    mounts: Arc<[Arc<MountService>]>,
    server_mount: Arc<MountService>,
    operations_mount: Arc<MountService>,
    access_table: Arc<AccessTable>,
    request_layer: RequestLayer,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("mounts", &self.mounts).finish_non_exhaustive()
    }
}

impl Http {
    /// Assembles the mounts over an engine and the store of the back office. Both must be the same
    /// store, so that the engine learns what the back office changes.
    pub fn new(
        auth: Arc<Auth>,
        office: Arc<dyn Store<OfficePorts>>,
        mounts: Mounts,
        settings: HttpSettings,
        metrics: Arc<Metrics>,
    ) -> Self {
        let request_layer = RequestLayer::new(&settings);
        let served = operations::ServedOperations { metrics: settings.serve_metrics, docs: settings.serve_docs };
        let mount_limits = mounts.session_limits();
        let mut mounts = mounts.into_inner();
        let office_prefixes = find_office_prefixes(&mounts);
        let oauth = mounts.iter().find(|mount| mount.dialect.name() == OAuth::NAME).map(|mount| mount.prefix.clone());
        let server_routes = operations::routes(operations::ServedOperations::ALL, oauth.as_deref());
        let documented = mounts.iter().map(|mount| (mount.prefix.as_str(), mount.dialect.routes()));
        let document = Document::from_calls(documented.chain([("", server_routes)]).flat_map(|(prefix, routes)| {
            routes.iter().filter_map(|route| route.documented_call(prefix)).collect::<Vec<_>>()
        }));
        let threads = Threads::new(settings.threads);
        let event_hub = EventHub::new(Arc::clone(&auth), Arc::clone(&metrics));
        let shared = Arc::new(ServerContext {
            auth,
            office,
            mount_limits,
            settings,
            office_prefixes,
            metrics,
            readiness_gate: Arc::default(),
            document,
            threads,
            list_limiter: ListLimiter::default(),
            large_body_limiter: LargeBodyLimiter::default(),
            audit_verifications: Arc::default(),
            event_hub,
        });
        let access_table = Arc::new(AccessTable::build(&shared.settings.access_rules, &mounts, &shared));
        // the router takes the first match: mounts with a host name before those without, longer
        // prefixes before shorter ones
        mounts.sort_by_key(|mount| (mount.host.is_none(), std::cmp::Reverse(mount.prefix.len())));
        let native_dialect: Arc<dyn Dialect> = Arc::new(Native::new(Native::default_terms()));
        let mut server_routes = operations::routes(served, oauth.as_deref());
        server_routes.extend(find_home(&mounts).map(operations::home_route));
        let root = || Mount { dialect: Arc::clone(&native_dialect), prefix: String::new(), host: None, tenant: None };
        Self {
            mounts: mounts.into_iter().map(|mount| MountService::new(mount, &shared)).collect(),
            server_mount: MountService::with_routes(root(), "server", server_routes, &shared),
            operations_mount: MountService::apart(root(), "server", operations::operator_routes(), &shared),
            access_table,
            server: shared,
            request_layer,
        }
    }

    /// The readiness gate, initially open; close it while the server's data is incomplete.
    pub fn readiness_gate(&self) -> Arc<ReadinessGate> {
        Arc::clone(&self.server.readiness_gate)
    }

    /// Sets how requests verify the audit log, once. Without it, the chain is verified in itself,
    /// and removed events at its end are not found.
    pub fn set_audit_verifier(&self, verifier: Arc<dyn AuditVerifier>) {
        self.server.audit_verifications.set_verifier(verifier);
    }

    /// Creates the application of a worker: [`configure`](Self::configure) inside
    /// [`request_layer`](Self::request_layer).
    pub fn app(
        &self,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<>>,
            Error = Error,
            InitError = (),
        > + use<>,
    > {
        let most = self.server.settings.blocking_limit;
        // runs on the worker's runtime
        let watched = move || std::future::ready(Ok::<_, std::convert::Infallible>(load_shedding::start_monitor(most)));
        App::new().data_factory(watched).wrap(self.request_layer()).configure(|config| self.configure(config))
    }

    /// Creates the application of the operations listener, which serves only health, metrics and
    /// documentation.
    pub fn operations_app(
        &self,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<>>,
            Error = Error,
            InitError = (),
        > + use<>,
    > {
        App::new().wrap(self.request_layer.without_proxies()).configure(|config| {
            register_routes(&self.operations_mount, &self.access_table, config);
            config.default_service(unknown_route(&self.operations_mount, &self.access_table));
        })
    }

    /// The middleware that must wrap every application with these routes, as the outermost one.
    pub fn request_layer(&self) -> RequestLayer {
        self.request_layer.clone()
    }

    /// Registers all routes at the root of an application.
    pub fn configure(&self, config: &mut ServiceConfig) {
        register_routes(&self.server_mount, &self.access_table, config);
        for service in self.mounts.iter() {
            register_scope(service, &self.access_table, config);
        }
        config.default_service(unknown_route(&self.server_mount, &self.access_table));
    }

    /// Returns all routes that [`configure`](Self::configure) registers, sorted by mount and path.
    pub fn routes(&self) -> Vec<RouteInfo> {
        let mut routes: Vec<RouteInfo> = self
            .mounts
            .iter()
            .chain([&self.server_mount])
            .flat_map(|service| service.route_infos().collect::<Vec<_>>())
            .collect();
        routes.sort();
        routes
    }
}

/// The prefixes of the back offices for browsers on every host, with the tenants that they serve.
fn find_office_prefixes(mounts: &[Mount]) -> Vec<(String, Option<Slug>)> {
    let office = mounts.iter().filter(|mount| mount.dialect.name() == OfficePages::NAME && mount.host.is_none());
    let mut prefixes: Vec<_> = office.map(|mount| (mount.prefix.clone(), mount.tenant.clone())).collect();
    // the mount of an API is below the one of its pages
    prefixes.sort_by_key(|(prefix, _)| prefix.len());
    prefixes
}

/// The prefix of the back office for browsers, unless it or another mount is at the root itself.
fn find_home(mounts: &[Mount]) -> Option<String> {
    let is_free = mounts.iter().all(|mount| !mount.prefix.is_empty());
    let office = mounts.iter().filter(|mount| mount.dialect.name() == OfficePages::NAME && mount.host.is_none());
    // the mount of its API is below the one of its pages
    office.map(|mount| mount.prefix.clone()).min_by_key(String::len).filter(|_| is_free)
}
