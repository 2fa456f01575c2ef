//! Puts the mounts together for the workers.

use std::fmt;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web::ServiceConfig;
use actix_web::{App, Error};
use tillgate_auth_core::Auth;
use tillgate_domain::Store;
use tillgate_domain::office::OfficePorts;

use crate::access::AccessTable;
use crate::dialect::Dialect;
use crate::large_body_slots::LargeBodySlots;
use crate::list_slots::ListSlots;
use crate::load_shedding;
use crate::metrics::Metrics;
use crate::mount::{Mount, MountService, Mounts, ServerContext};
use crate::native::Native;
use crate::oauth::OAuth;
use crate::openapi::Document;
use crate::operations;
use crate::readiness_gate::ReadinessGate;
use crate::request_layer::RequestLayer;
use crate::route::RouteInfo;
use crate::settings::HttpSettings;
use crate::threads::Threads;

/// Everything that is served over HTTP. Cheap to clone; each worker makes its application of one.
#[derive(Clone)]
pub struct Http {
    server: Arc<ServerContext>,
    mounts: Arc<[Arc<MountService>]>,
    server_mount: Arc<MountService>,
    operations_mount: Arc<MountService>,
    request_layer: RequestLayer,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("mounts", &self.mounts).finish_non_exhaustive()
    }
}

impl Http {
    /// Puts the mounts together over an engine and the store that the back office works on: the same one, so that the engine
    /// is told of what the office has changed.
    pub fn new(
        auth: Arc<Auth>,
        office: Arc<dyn Store<OfficePorts>>,
        mounts: Mounts,
        settings: HttpSettings,
        metrics: Arc<Metrics>,
    ) -> Self {
        let edge = RequestLayer::new(&settings);
        let here = operations::ServedOperations { metrics: settings.serve_metrics, docs: settings.serve_docs };
        let all = mounts.clone();
        let mut mounts = mounts.into_inner();
        let oauth = mounts.iter().find(|mount| mount.dialect.name() == OAuth::NAME).map(|mount| mount.prefix.clone());
        let own = operations::routes(operations::ServedOperations::ALL, oauth.as_deref());
        let described = mounts.iter().map(|mount| (mount.prefix.as_str(), mount.dialect.routes()));
        let document = Document::from_routes(described.chain([("", own)]));
        let threads = Threads::new(settings.threads);
        let shared = Arc::new(ServerContext {
            auth,
            office,
            mounts: all,
            settings,
            metrics,
            readiness_gate: Arc::default(),
            document,
            threads,
            list_slots: ListSlots::default(),
            large_body_slots: LargeBodySlots::default(),
        });
        let access = Arc::new(AccessTable::build(&shared.settings.access_rules, &mounts, &shared));
        // the router takes the first that fits: a mount with a host name before one for every host, a longer prefix before a
        // shorter
        mounts.sort_by_key(|mount| (mount.host.is_none(), std::cmp::Reverse(mount.prefix.len())));
        let words: Arc<dyn Dialect> = Arc::new(Native::new(Native::default_terms()));
        let root = || Mount { dialect: Arc::clone(&words), prefix: String::new(), host: None, tenant: None };
        Self {
            mounts: mounts.into_iter().map(|mount| MountService::new(mount, &shared, &access)).collect(),
            server_mount: MountService::with_routes(
                root(),
                "server",
                operations::routes(here, oauth.as_deref()),
                &shared,
            ),
            operations_mount: MountService::apart(root(), "server", operations::operator_routes(), &shared),
            server: shared,
            request_layer: edge,
        }
    }

    /// The gate, open at first: shut it while the server's data is not complete.
    pub fn readiness_gate(&self) -> Arc<ReadinessGate> {
        Arc::clone(&self.server.readiness_gate)
    }

    /// The application for a worker: [`configure`](Self::configure) inside [`edge`](Self::edge).
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
        // called where the worker's runtime runs
        let watched = move || std::future::ready(Ok::<_, std::convert::Infallible>(load_shedding::start_monitor(most)));
        App::new().data_factory(watched).wrap(self.request_layer()).configure(|config| self.configure(config))
    }

    /// The application for a listener of its own that serves health and metrics alone.
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
        App::new().wrap(self.request_layer()).configure(|config| {
            self.operations_mount.register_routes(config);
            config.default_service(self.operations_mount.unknown_route());
        })
    }

    /// The middleware that every application of these routes is wrapped in, outermost.
    pub fn request_layer(&self) -> RequestLayer {
        self.request_layer.clone()
    }

    /// Registers every route at the root of an application.
    pub fn configure(&self, config: &mut ServiceConfig) {
        self.server_mount.register_routes(config);
        for mounted in self.mounts.iter() {
            mounted.register_scope(config);
        }
        config.default_service(self.server_mount.unknown_route());
    }

    /// Every route that [`configure`](Self::configure) registers, in order of mounts and paths.
    pub fn routes(&self) -> Vec<RouteInfo> {
        let mut routes: Vec<RouteInfo> = self
            .mounts
            .iter()
            .chain([&self.server_mount])
            .flat_map(|mounted| mounted.route_infos().collect::<Vec<_>>())
            .collect();
        routes.sort();
        routes
    }
}
