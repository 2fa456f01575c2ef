//! The one way that every request of a mount takes: its method, the gate, its body, the evidence, the handler; and, whatever
//! fails on it, the dialect's words. Panics, deadlines and unknown routes are worded here too.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use actix_web::body::{BodyStream, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::header::{ALLOW, CONTENT_LENGTH, HeaderValue, RETRY_AFTER};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpRequest, HttpResponse};
use tillgate_auth_core::{Caller, Evidence};

use crate::access;
use crate::blocking;
use crate::call::Call;
use crate::cors;
use crate::endpoint::Endpoint;
use crate::failure::{Failure, Protocol};
use crate::head::Head;
use crate::large_bodies::LargeBody;
use crate::mount::Mounted;
use crate::origin::Origin;
use crate::route::Handler;

/// Answers a request.
pub(crate) async fn serve(
    mounted: Arc<Mounted>,
    endpoint: Arc<Endpoint>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let origin = Origin::kept(&request).unwrap_or_else(|| Rc::new(Origin::bare(&request, &mounted.shared.settings)));
    if !endpoint.is_known() {
        origin.unknown.replace(Some(crate::edge::shortened(request.path())));
    }
    // a request passes one endpoint, so the cell is empty
    let _ = origin.endpoint.set(Arc::clone(&endpoint));
    let head = Head::new(request, origin, Arc::clone(&mounted));
    let deadline = mounted.shared.settings.deadline;
    let reading = Cell::new(false);
    let answering =
        blocking::within(deadline, head.address(), caught(answer(&mounted, &endpoint, &head, payload, &reading)));
    let answered = match timeout(deadline, answering).await {
        Ok(Some(answered)) => answered,
        Ok(None) => Err(Failure::Fault("a handler panicked".to_owned())),
        Err(_) if reading.get() => Err(Protocol::Slow.into()),
        Err(_) => Err(Failure::unavailable(format!("the deadline of {deadline:?} has passed"))),
    };
    let mut answer = answered.unwrap_or_else(|failure| {
        let mut answer = worded(&mounted, &failure, &head);
        if endpoint.route(head.method()).is_ok_and(|route| route.coded) {
            access::code(&mut answer, &failure);
        }
        answer
    });
    cors::adorn(mounted.dialect.origins(), head.headers(), &mut answer);
    answer
}

async fn answer(
    mounted: &Arc<Mounted>,
    endpoint: &Endpoint,
    head: &Head,
    payload: Payload,
    reading: &Cell<bool>,
) -> Result<HttpResponse, Failure> {
    if let Some(leave) = cors::preflight(mounted.dialect.origins(), head.method(), head.headers()) {
        return Ok(leave);
    }
    let route = endpoint.route(head.method())?;
    if route.gated && !mounted.shared.gate.is_open() {
        return Err(Failure::unavailable("the server is still being set up"));
    }
    reading.set(true);
    let (body, _large) = body(mounted, head, payload, route.body).await?;
    reading.set(false);
    mounted.dialect.admit(head)?;
    match &route.handler {
        Handler::Open(handler) => handler(Call::new(head.clone(), body, Arc::clone(mounted))).await,
        Handler::Known(handler) => {
            let evidence = mounted.dialect.evidence(head, &body)?;
            let caller = caller(mounted, head, evidence).await?;
            let answered = handler(Call::new(head.clone(), body, Arc::clone(mounted)), caller.clone()).await;
            if let Err(failure) = &answered {
                crate::lacking::note(mounted, head, &caller, failure).await;
            }
            answered
        }
    }
}

/// Who calls: from memory where that holds it, else on a thread that may wait.
pub(crate) async fn caller(mounted: &Arc<Mounted>, head: &Head, evidence: Evidence<'_>) -> Result<Caller, Failure> {
    let tenant = match &mounted.tenant {
        Some(slug) => Some(crate::call::tenant(mounted, slug).await?),
        None => None,
    };
    let presented = tillgate_auth_core::Presented {
        evidence,
        dialect: &mounted.label,
        tenant,
        method: head.method().as_str(),
        target: head.target(),
        body: None,
        address: head.address(),
    };
    if let Some(recognized) = mounted.shared.auth.recognize(&presented) {
        return Ok(recognized?);
    }
    let (method, target, address) = (head.method().to_string(), head.target().to_owned(), head.address());
    let owned = |token: &str| tillgate_domain::Secret::new(token.to_owned());
    let (held, tokens) = match presented.evidence {
        Evidence::Bearer(token) => (Evidence::None, vec![owned(token)]),
        Evidence::AnyBearer(tokens) => (Evidence::None, tokens.into_iter().map(owned).collect()),
        Evidence::None => (Evidence::None, Vec::new()),
        Evidence::Signature(signature, counting) => (Evidence::Signature(signature, counting), Vec::new()),
        Evidence::Client(client) => (Evidence::Client(client), Vec::new()),
    };
    crate::blocking::block(mounted, move |mounted| {
        let evidence = match tokens.as_slice() {
            [] => held,
            tokens => Evidence::AnyBearer(tokens.iter().map(|token| token.expose().as_str()).collect()),
        };
        mounted.shared.auth.authenticate(&tillgate_auth_core::Presented {
            evidence,
            dialect: &mounted.label,
            tenant,
            method: &method,
            target: &target,
            body: None,
            address,
        })
    })
    .await
}

/// The whole body, where there is one; and the place of a large one, which it has until it is answered.
async fn body<'m>(
    mounted: &'m Mounted,
    head: &Head,
    payload: Payload,
    least: usize,
) -> Result<(Bytes, Option<LargeBody<'m>>), Failure> {
    if matches!(payload, Payload::None) || !head.has_body() {
        return Ok((Bytes::new(), None));
    }
    let usual = mounted.shared.settings.body_limit;
    let most = usual.max(least);
    let length = head.header(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > most) {
        return Err(Protocol::TooLarge.into());
    }
    let mut stream = pin!(BodyStream::new(payload));
    let (mut body, mut large) = (BytesMut::new(), None);
    while let Some(chunk) = std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await {
        let chunk = chunk.map_err(|_| Failure::malformed("the body was cut short"))?;
        if body.len() + chunk.len() > most {
            return Err(Protocol::TooLarge.into());
        }
        if body.len() + chunk.len() > usual && large.is_none() {
            large = Some(mounted.shared.large_bodies.admit()?);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), large))
}

/// The failure in the dialect's words, with what every dialect owes its clients: `Allow` and `Retry-After`.
pub(crate) fn worded(mounted: &Mounted, failure: &Failure, head: &Head) -> HttpResponse {
    head.origin().code.set(Some(failure.code()));
    let (trace, mount) = (head.trace(), mounted.name);
    match failure {
        Failure::Unavailable { why, .. } => tracing::warn!(trace, mount, why, "unavailable"),
        Failure::Fault(why) => tracing::error!(trace, mount, why, "fault"),
        Failure::Refused(_) | Failure::Office(_) | Failure::Protocol(_) => {}
    }
    let mut answer = mounted.dialect.word(failure, head);
    if let Some(retry_after) = failure.retry_after() {
        let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    if let Failure::Protocol(Protocol::WrongMethod { allow }) = failure
        && let Ok(allow) = HeaderValue::from_str(allow)
    {
        answer.headers_mut().insert(ALLOW, allow);
    }
    answer
}

/// Runs a future; `None` where it panics.
async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        // what panicked is not polled again, and nothing that it half-changed is looked at
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
