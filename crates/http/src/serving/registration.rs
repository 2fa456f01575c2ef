//! Registers mounts with the router: the exact paths of their routes, and one fallback for every
//! other path.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::guard::{self, Guard};
use actix_web::{HttpRequest, web};

use crate::request::meta::RequestMeta;
use crate::serving::access_table::AccessTable;
use crate::serving::endpoint::Endpoint;
use crate::serving::mount_service::MountService;
use crate::serving::serve::serve_request;

/// Registers the exact paths of a mount's routes in the scope of its prefix, or at the root.
pub(crate) fn register_routes(
    service: &Arc<MountService>,
    access_table: &Arc<AccessTable>,
    config: &mut web::ServiceConfig,
) {
    for endpoint in &service.endpoints {
        let route = endpoint_route(service, access_table, endpoint);
        config.service(web::resource(endpoint.info.path).default_service(route));
    }
}

/// Registers a mount with every path below its prefix.
pub(crate) fn register_scope(
    service: &Arc<MountService>,
    access_table: &Arc<AccessTable>,
    config: &mut web::ServiceConfig,
) {
    let scope = web::scope(&service.context.prefix)
        .configure(|config| register_routes(service, access_table, config))
        .default_service(unknown_route(service, access_table));
    match service.host.clone() {
        Some(host) => config.service(scope.guard(host_guard(host))),
        None => config.service(scope),
    };
}

/// Serves a path that no route has exactly: by the route that has it leniently, if the dialect
/// compares so.
pub(crate) fn unknown_route(service: &Arc<MountService>, access_table: &Arc<AccessTable>) -> actix_web::Route {
    let (service, access_table) = (Arc::clone(service), Arc::clone(access_table));
    web::to(move |request: HttpRequest, payload: web::Payload| {
        let endpoint = service.find_endpoint(request.match_info().as_str()).unwrap_or(&service.unknown_endpoint);
        serve_request(
            Arc::clone(&service),
            Arc::clone(&access_table),
            Arc::clone(endpoint),
            request,
            payload.into_inner(),
        )
    })
}

fn endpoint_route(
    service: &Arc<MountService>,
    access_table: &Arc<AccessTable>,
    endpoint: &Arc<Endpoint>,
) -> actix_web::Route {
    let (service, access_table, endpoint) = (Arc::clone(service), Arc::clone(access_table), Arc::clone(endpoint));
    web::to(move |request: HttpRequest, payload: web::Payload| {
        serve_request(
            Arc::clone(&service),
            Arc::clone(&access_table),
            Arc::clone(&endpoint),
            request,
            payload.into_inner(),
        )
    })
}

/// Matches requests for a host name, ignoring the port, by the host that the client used.
fn host_guard(host: String) -> impl Guard {
    guard::fn_guard(move |context| {
        let head = context.head();
        let proxied = context.req_data().get::<Rc<RequestMeta>>().and_then(|origin| origin.host.clone());
        let sent = || head.headers().get("host").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let called = proxied.or_else(sent).or_else(|| head.uri.authority().map(ToString::to_string));
        called.is_some_and(|called| strip_port(&called).eq_ignore_ascii_case(&host))
    })
}

fn strip_port(host: &str) -> &str {
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, port)| digits(port)).map_or(host, |(name, _)| name);
    name.trim_end_matches('.')
}
