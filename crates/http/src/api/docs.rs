//! The routes of the document and of the page that shows it: Swagger UI, whose files are part of
//! the binary.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::web::Bytes;
use utoipa_swagger_ui::Config;

use crate::error::{ApiError, ProtocolError};
use crate::openapi::OperationDoc;
use crate::request::Request;
use crate::reserved_paths::{DOCS_PATH, DOCUMENT_PATH};
use crate::serving::route::Route;

const DOCS_SLASH_PATH: &str = "/docs/";
const DOCS_FILE_PATH: &str = "/docs/{file}";

/// The file of Swagger UI that is the page.
const PAGE_FILE: &str = "index.html";
/// The title in this file.
const SWAGGER_TITLE: &str = "<title>Swagger UI</title>";
/// The title that replaces it.
const PAGE_TITLE: &str = "<title>tillgate</title>";

/// Swagger UI generates inline styles and has images in its style sheet; it loads nothing from
/// other origins.
const DOCS_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Routes of the document and of the page.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::public(Method::GET, DOCUMENT_PATH, get_document).served_before_ready().documented(|| {
            OperationDoc::new("server", "Get this document").typed_response(
                200,
                "OpenAPI 3.1, in JSON.",
                "application/json",
            )
        }),
        Route::public(Method::GET, DOCS_PATH, redirect_to_docs)
            .served_before_ready()
            .documented(|| OperationDoc::new("server", "Redirect to the page that shows this document").redirect()),
        Route::public(Method::GET, DOCS_SLASH_PATH, redirect_to_docs).served_before_ready(),
        Route::public(Method::GET, DOCS_FILE_PATH, get_docs_file).served_before_ready(),
    ]
}

async fn get_document(call: Request) -> Result<HttpResponse, ApiError> {
    let text = call.mount().server.document.json();
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}

/// The page refers to its files by relative URLs, so it is served below `/docs/`.
async fn redirect_to_docs(_call: Request) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::PermanentRedirect().insert_header(("location", "/docs/index.html")).finish())
}

async fn get_docs_file(call: Request) -> Result<HttpResponse, ApiError> {
    let config = Arc::new(Config::from(DOCUMENT_PATH).persist_authorization(true));
    let name = call.head().path_parameter("file");
    let found = utoipa_swagger_ui::serve(name, config)
        .map_err(|error| ApiError::Fault(format!("a file of the documentation cannot be read: {error}")))?;
    let mut file = found.ok_or(ProtocolError::RouteNotFound)?;
    if name == PAGE_FILE {
        file.bytes = Cow::Owned(String::from_utf8_lossy(&file.bytes).replace(SWAGGER_TITLE, PAGE_TITLE).into_bytes());
    }
    Ok(HttpResponse::Ok()
        .content_type(file.content_type)
        .insert_header((CONTENT_SECURITY_POLICY, DOCS_CSP))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(match file.bytes {
            // refers to the program's static data instead of copying the file for each response
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        }))
}
