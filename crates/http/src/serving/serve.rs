//! The path of every request through a mount: method, readiness gate, body, rate limit,
//! credentials, requirement, handler. Every failure on it is rendered by the dialect, including
//! panics, deadlines and unknown routes.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use actix_web::body::{BodyStream, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpRequest, HttpResponse};

use crate::context::MountContext;
use crate::context::blocking_pool;
use crate::context::large_body_limiter::LargeBodyPermit;
use crate::error::{ApiError, ProtocolError};
use crate::request::Request;
use crate::request::authentication::authenticate_caller;
use crate::request::dpop::{self, PROOF_HEADER};
use crate::request::head::RequestHead;
use crate::request::meta::{RequestMeta, shorten_path};
use crate::serving::access_table::{AccessTable, set_error_code_header};
use crate::serving::audit_denials::record_denial;
use crate::serving::cors;
use crate::serving::endpoint::Endpoint;
use crate::serving::mount_service::MountService;
use crate::serving::route::Handler;

/// Serves a request.
pub(crate) async fn serve_request(
    service: Arc<MountService>,
    access_table: Arc<AccessTable>,
    endpoint: Arc<Endpoint>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let origin = RequestMeta::from_extensions(&request)
        .unwrap_or_else(|| Rc::new(RequestMeta::from_http_request(&request, &service.context.server.settings)));
    if !endpoint.has_routes() {
        origin.unknown_path.replace(Some(shorten_path(request.path())));
    }
    // a request has exactly one endpoint, so the cell is empty
    let _ = origin.endpoint.set(Arc::clone(&endpoint.info));
    let head = RequestHead::new(request, origin, Arc::clone(&service.context));
    let deadline = service.context.server.settings.deadline;
    let reading = Cell::new(false);
    let answering = blocking_pool::with_deadline(
        deadline,
        head.address(),
        catch_panic(handle_request(&service, &access_table, &endpoint, &head, payload, &reading)),
    );
    let answered = match timeout(deadline, answering).await {
        Ok(Some(answered)) => answered,
        Ok(None) => Err(ApiError::Fault("a handler panicked".to_owned())),
        Err(_) if reading.get() => Err(ProtocolError::BodyTimeout.into()),
        Err(_) => Err(ApiError::unavailable(format!("the deadline of {deadline:?} has passed"))),
    };
    let mut response = answered.unwrap_or_else(|failure| {
        let mut response = service.render_error(&failure, &head);
        if endpoint.find_route(head.method()).is_ok_and(|route| route.sets_error_code) {
            set_error_code_header(&mut response, &failure);
        }
        response
    });
    for (name, value) in service.dialect.response_headers() {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    if head.headers().contains_key(PROOF_HEADER) {
        dpop::insert_nonce(&service.context.server.auth, response.headers_mut());
    }
    cors::add_cors_headers(service.dialect.trusted_origins(), head.headers(), &mut response);
    response
}

async fn handle_request(
    service: &Arc<MountService>,
    access_table: &AccessTable,
    endpoint: &Endpoint,
    head: &RequestHead,
    payload: Payload,
    reading: &Cell<bool>,
) -> Result<HttpResponse, ApiError> {
    if let Some(leave) = cors::answer_preflight(service.dialect.trusted_origins(), head.method(), head.headers()) {
        return Ok(leave);
    }
    let route = endpoint.find_route(head.method())?;
    if route.requires_readiness && !service.context.server.readiness_gate.is_open() {
        return Err(ApiError::unavailable("the server is still being set up"));
    }
    reading.set(true);
    let (body, _large) = read_body(&service.context, head, payload, route.min_body_limit).await?;
    reading.set(false);
    service.dialect.rate_limit(head)?;
    match &route.handler {
        Handler::Public(handler) => handler(Request::new(head.clone(), body, Arc::clone(&service.context))).await,
        Handler::Authenticated(requirement, handler) => {
            let credentials = service.dialect.read_credentials(head, &body)?;
            let caller = authenticate_caller(&service.context, head, credentials).await?;
            let answered = match requirement.check(&caller) {
                Ok(()) => handler(Request::new(head.clone(), body, Arc::clone(&service.context)), caller.clone()).await,
                Err(denial) => Err(denial.into()),
            };
            if let Err(failure) = &answered {
                record_denial(&service.context, head, &caller, failure, route.find_subject(head)).await;
            }
            answered
        }
        Handler::Gateway(render_identity) => match access_table.authorize(head).await {
            Ok(caller) => render_identity(&caller),
            Err(denied) => Ok(denied.render(service)),
        },
    }
}

/// Reads the body, if any. A large body comes with its permit, which it keeps until the request is
/// answered.
async fn read_body<'m>(
    mount: &'m MountContext,
    head: &RequestHead,
    payload: Payload,
    least: usize,
) -> Result<(Bytes, Option<LargeBodyPermit<'m>>), ApiError> {
    if matches!(payload, Payload::None) || !head.has_body() {
        return Ok((Bytes::new(), None));
    }
    let usual = mount.server.settings.body_limit;
    let most = usual.max(least);
    let length = head.header(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > most) {
        return Err(ProtocolError::BodyTooLarge.into());
    }
    let end = head.body_end().unwrap_or(usize::MAX);
    let mut stream = pin!(BodyStream::new(payload));
    let (mut body, mut large) = (BytesMut::new(), None);
    while body.len() < end {
        let Some(chunk) = std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await else { break };
        let mut chunk = chunk.map_err(|_| ApiError::malformed("the body was cut short"))?;
        chunk.truncate(end - body.len());
        if body.len() + chunk.len() > most {
            return Err(ProtocolError::BodyTooLarge.into());
        }
        if body.len() + chunk.len() > usual && large.is_none() {
            large = Some(mount.server.large_body_limiter.claim()?);
        }
        body.extend_from_slice(&chunk);
    }
    if end != usize::MAX && body.len() < end {
        return Err(ApiError::malformed("the body was cut short"));
    }
    Ok((body.freeze(), large))
}

/// Runs a future; `None` if it panics.
async fn catch_panic<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        // the future is not polled again after a panic, and none of its state is used
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
