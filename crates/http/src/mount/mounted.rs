//! A mount as the workers serve it: its routes by path, with what they all share.

use std::fmt;
use std::sync::{Arc, OnceLock};

use actix_web::guard::{self, Guard};
use actix_web::{HttpRequest, web};
use tillgate_auth_core::{Auth, Dialect as Label};
use tillgate_domain::office::OfficeView;
use tillgate_domain::{Slug, Store, TenantId};

use crate::access::Access;
use crate::dialect::Dialect;
use crate::endpoint::{Endpoint, UNKNOWN, by_path};
use crate::gate::Gate;
use crate::large_bodies::LargeBodies;
use crate::list_slots::ListSlots;
use crate::metrics::{Meter, Metrics};
use crate::mount::{Mount, Mounts};
use crate::openapi::Document;
use crate::origin::Origin;
use crate::route::{Handler, Listing, PathMatching, Route};
use crate::serve::serve;
use crate::settings::Settings;
use crate::threads::Threads;

/// What all mounts share.
pub(crate) struct Shared {
    pub(crate) auth: Arc<Auth>,
    pub(crate) office: Arc<dyn Store<OfficeView>>,
    pub(crate) mounts: Mounts,
    pub(crate) settings: Settings,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) threads: Arc<Threads>,
    pub(crate) document: Document,
    pub(crate) lists: ListSlots,
    pub(crate) large_bodies: LargeBodies,
}

/// A mount as the workers serve it.
pub(crate) struct Mounted {
    pub(crate) dialect: Arc<dyn Dialect>,
    /// The label of the dialect, as the engine keeps it.
    pub(crate) label: Label,
    /// The label in logs and metrics.
    pub(crate) name: &'static str,
    pub(crate) prefix: String,
    host: Option<String>,
    pub(crate) tenant: Option<Slug>,
    /// The id of the tenant, once it has been looked up.
    pub(crate) tenant_id: OnceLock<TenantId>,
    endpoints: Vec<Arc<Endpoint>>,
    unknown: Arc<Endpoint>,
    /// The table that gateways ask.
    pub(crate) access: Arc<Access>,
    /// The threads of whatever may wait.
    pub(crate) threads: Arc<Threads>,
    pub(crate) shared: Arc<Shared>,
}

impl fmt::Debug for Mounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}", self.name, self.prefix)
    }
}

/// The route of all files of pages in the metrics.
const FILES: &str = "(files)";

impl Mounted {
    pub(crate) fn new(mount: Mount, shared: &Arc<Shared>, access: &Arc<Access>) -> Arc<Self> {
        let (name, routes) = (mount.dialect.name(), mount.dialect.routes());
        Self::made(mount, name, routes, shared, Arc::clone(access), Arc::clone(&shared.threads))
    }

    /// A mount that serves other routes than its dialect's, in its dialect's words.
    pub(crate) fn with(mount: Mount, name: &'static str, routes: Vec<Route>, shared: &Arc<Shared>) -> Arc<Self> {
        Self::made(mount, name, routes, shared, Arc::default(), Arc::clone(&shared.threads))
    }

    /// The same with threads of its own, which no other mount's requests take.
    pub(crate) fn apart(mount: Mount, name: &'static str, routes: Vec<Route>, shared: &Arc<Shared>) -> Arc<Self> {
        Self::made(mount, name, routes, shared, Arc::default(), Threads::new(shared.settings.threads))
    }

    fn made(
        mount: Mount,
        name: &'static str,
        routes: Vec<Route>,
        shared: &Arc<Shared>,
        access: Arc<Access>,
        threads: Arc<Threads>,
    ) -> Arc<Self> {
        let endpoint = |path: &'static str, template: String, routes: Vec<Route>| {
            let file = routes.iter().any(|route| route.file);
            let meter = Meter::new(&shared.metrics, name, if file { FILES } else { &template });
            Arc::new(Endpoint { mount: name, path, template, routes, meter })
        };
        let endpoints = by_path(routes)
            .into_iter()
            .map(|(path, routes)| endpoint(path, format!("{}{path}", mount.prefix), routes))
            .collect();
        Arc::new(Self {
            label: Label::new(mount.dialect.name()),
            name,
            prefix: mount.prefix,
            host: mount.host,
            tenant: mount.tenant,
            tenant_id: OnceLock::new(),
            endpoints,
            unknown: endpoint("", UNKNOWN.to_owned(), Vec::new()),
            dialect: mount.dialect,
            access,
            threads,
            shared: Arc::clone(shared),
        })
    }

    /// Every route, as registered.
    pub(crate) fn listings(&self) -> impl Iterator<Item = Listing> {
        self.endpoints.iter().flat_map(|endpoint| {
            endpoint.routes.iter().map(|route| Listing {
                mount: endpoint.mount,
                method: route.method.to_string(),
                path: endpoint.template.clone(),
                open: matches!(route.handler, Handler::Open(_)),
            })
        })
    }

    /// Registers the routes, to the letter, where the caller stands: in a scope of the prefix, or at the root.
    pub(crate) fn register(self: &Arc<Self>, config: &mut web::ServiceConfig) {
        for endpoint in &self.endpoints {
            config.service(web::resource(endpoint.path).default_service(self.to(endpoint)));
        }
    }

    /// Registers the mount with all that lies below its prefix.
    pub(crate) fn scope(self: &Arc<Self>, config: &mut web::ServiceConfig) {
        let scope = web::scope(&self.prefix).configure(|config| self.register(config)).default_service(self.unknown());
        match self.host.clone() {
            Some(host) => config.service(scope.guard(for_host(host))),
            None => config.service(scope),
        };
    }

    /// What answers a path that no route has to the letter: the route that has it otherwise, where the contract compares so.
    pub(crate) fn unknown(self: &Arc<Self>) -> actix_web::Route {
        let mounted = Arc::clone(self);
        web::to(move |request: HttpRequest, payload: web::Payload| {
            let endpoint = mounted.find(request.match_info().as_str()).unwrap_or(&mounted.unknown);
            serve(Arc::clone(&mounted), Arc::clone(endpoint), request, payload.into_inner())
        })
    }

    /// The endpoint of a whole path that is none to the letter.
    fn find(&self, path: &str) -> Option<&Arc<Endpoint>> {
        let matching = self.dialect.paths();
        let below = path.strip_prefix(&self.prefix).filter(|_| matching == PathMatching::Lenient)?;
        self.endpoints.iter().find(|endpoint| matching.fits(endpoint.path, below))
    }

    fn to(self: &Arc<Self>, endpoint: &Arc<Endpoint>) -> actix_web::Route {
        let (mounted, endpoint) = (Arc::clone(self), Arc::clone(endpoint));
        web::to(move |request: HttpRequest, payload: web::Payload| {
            serve(Arc::clone(&mounted), Arc::clone(&endpoint), request, payload.into_inner())
        })
    }
}

/// Takes requests for a host name, whatever the port, as the client called it.
fn for_host(host: String) -> impl Guard {
    guard::fn_guard(move |context| {
        let head = context.head();
        let proxied = context.req_data().get::<std::rc::Rc<Origin>>().and_then(|origin| origin.host.clone());
        let sent = || head.headers().get("host").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let called = proxied.or_else(sent).or_else(|| head.uri.authority().map(ToString::to_string));
        called.is_some_and(|called| without_port(&called).eq_ignore_ascii_case(&host))
    })
}

fn without_port(host: &str) -> &str {
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, port)| digits(port)).map_or(host, |(name, _)| name);
    name.trim_end_matches('.')
}
