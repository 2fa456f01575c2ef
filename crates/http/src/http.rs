//! Puts the mounts together for the workers.

use std::fmt;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web::ServiceConfig;
use actix_web::{App, Error};
use tillgate_auth_core::Auth;
use tillgate_domain::Store;
use tillgate_domain::office::OfficeView;

use crate::access::Access;
use crate::dialect::Dialect;
use crate::edge::Edge;
use crate::gate::Gate;
use crate::large_bodies::LargeBodies;
use crate::lateness;
use crate::list_slots::ListSlots;
use crate::metrics::Metrics;
use crate::mount::{Mount, Mounted, Mounts, Shared};
use crate::native::Native;
use crate::oauth::OAuth;
use crate::openapi::Document;
use crate::operations;
use crate::route::Listing;
use crate::settings::Settings;
use crate::threads::Threads;

/// Everything that is served over HTTP. Cheap to clone; each worker makes its application of one.
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
    mounts: Arc<[Arc<Mounted>]>,
    own: Arc<Mounted>,
    operations: Arc<Mounted>,
    edge: Edge,
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
        office: Arc<dyn Store<OfficeView>>,
        mounts: Mounts,
        settings: Settings,
        metrics: Arc<Metrics>,
    ) -> Self {
        let edge = Edge::new(&settings);
        let here = operations::Here { metrics: settings.metrics_here, docs: settings.docs_here };
        let all = mounts.clone();
        let mut mounts = mounts.into_inner();
        let oauth = mounts.iter().find(|mount| mount.dialect.name() == OAuth::NAME).map(|mount| mount.prefix.clone());
        let own = operations::routes(operations::Here::ALL, oauth.as_deref());
        let described = mounts.iter().map(|mount| (mount.prefix.as_str(), mount.dialect.routes()));
        let document = Document::over(described.chain([("", own)]));
        let threads = Threads::new(settings.threads);
        let shared = Arc::new(Shared {
            auth,
            office,
            mounts: all,
            settings,
            metrics,
            gate: Arc::default(),
            document,
            threads,
            lists: ListSlots::default(),
            large_bodies: LargeBodies::default(),
        });
        let access = Arc::new(Access::over(&shared.settings.access, &mounts, &shared));
        // the router takes the first that fits: a mount with a host name before one for every host, a longer prefix before a
        // shorter
        mounts.sort_by_key(|mount| (mount.host.is_none(), std::cmp::Reverse(mount.prefix.len())));
        let words: Arc<dyn Dialect> = Arc::new(Native::new(Native::terms()));
        let root = || Mount { dialect: Arc::clone(&words), prefix: String::new(), host: None, tenant: None };
        Self {
            mounts: mounts.into_iter().map(|mount| Mounted::new(mount, &shared, &access)).collect(),
            own: Mounted::with(root(), "server", operations::routes(here, oauth.as_deref()), &shared),
            operations: Mounted::apart(root(), "server", operations::operating(), &shared),
            shared,
            edge,
        }
    }

    /// The gate, open at first: shut it while the server's data is not complete.
    pub fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.shared.gate)
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
        let most = self.shared.settings.blocking_limit;
        // called where the worker's runtime runs
        let watched = move || std::future::ready(Ok::<_, std::convert::Infallible>(lateness::watch(most)));
        App::new().data_factory(watched).wrap(self.edge()).configure(|config| self.configure(config))
    }

    /// The application for a listener of its own that serves health and metrics alone.
    pub fn operations(
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
        App::new().wrap(self.edge()).configure(|config| {
            self.operations.register(config);
            config.default_service(self.operations.unknown());
        })
    }

    /// The middleware that every application of these routes is wrapped in, outermost.
    pub fn edge(&self) -> Edge {
        self.edge.clone()
    }

    /// Registers every route at the root of an application.
    pub fn configure(&self, config: &mut ServiceConfig) {
        self.own.register(config);
        for mounted in self.mounts.iter() {
            mounted.scope(config);
        }
        config.default_service(self.own.unknown());
    }

    /// Every route that [`configure`](Self::configure) registers, in order of mounts and paths.
    pub fn routes(&self) -> Vec<Listing> {
        let mut routes: Vec<Listing> =
            self.mounts.iter().chain([&self.own]).flat_map(|mounted| mounted.listings().collect::<Vec<_>>()).collect();
        routes.sort();
        routes
    }
}
