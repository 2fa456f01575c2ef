//! The document and the page that shows it, Swagger UI with its files inside the binary.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::web::Bytes;
use utoipa_swagger_ui::Config;

use crate::call::Call;
use crate::failure::{Failure, Protocol};
use crate::openapi::Entry;
use crate::route::Route;

/// Where the document is.
pub(crate) const DOCUMENT: &str = "/openapi.json";
/// Where the page is.
pub(crate) const DOCS: &str = "/docs";
const DOCS_SLASH: &str = "/docs/";
const FILE: &str = "/docs/{file}";

/// Swagger UI draws with styles of its own making and with pictures in its style sheet; it loads nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The routes of the document and the page.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::open(Method::GET, DOCUMENT, document)
            .always()
            .told(|| Entry::of("server", "This document").answers_as(200, "OpenAPI 3.1, in JSON.", "application/json")),
        Route::open(Method::GET, DOCS, page)
            .always()
            .told(|| Entry::of("server", "The page that shows this document").redirects()),
        Route::open(Method::GET, DOCS_SLASH, page).always(),
        Route::open(Method::GET, FILE, file).always(),
    ]
}

async fn document(call: Call) -> Result<HttpResponse, Failure> {
    let text = call.mounted().shared.document.text();
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}

/// The page's own files are named relative to it, so it is below `/docs/`.
async fn page(_call: Call) -> Result<HttpResponse, Failure> {
    Ok(HttpResponse::PermanentRedirect().insert_header(("location", "/docs/index.html")).finish())
}

async fn file(call: Call) -> Result<HttpResponse, Failure> {
    let config = Arc::new(Config::from(DOCUMENT).persist_authorization(true));
    let found = utoipa_swagger_ui::serve(call.head().segment("file"), config)
        .map_err(|error| Failure::Fault(format!("a file of the documentation cannot be read: {error}")))?;
    let file = found.ok_or(Protocol::NoRoute)?;
    Ok(HttpResponse::Ok()
        .content_type(file.content_type)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(match file.bytes {
            // the file in the program's own memory, not a copy for each answer
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        }))
}
