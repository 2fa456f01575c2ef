//! krmpesan's web page for generating tokens: a user logs in, selects devices, confirms with the
//! password, and copies the three values of each. Page, script and style are part of the binary;
//! they are the same for everybody with the same language, and contain no secret.
//!
//! The script keeps its access token in memory only: neither a cookie nor the browser's storage has
//! it, so no other page can send requests with it.

mod handlers;
mod page;
mod request;
mod response;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, VARY,
};
use tillgate_web::PageLanguage;

use crate::request::Request;
use crate::serving::route::Route;

/// The page may run scripts and styles of this mount and send requests to it, and nothing else.
/// Forms are never submitted by the browser itself, so no password becomes part of a URL if the
/// script does not run.
const PAGE_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// Isolates the page from a page that opened it.
const OPENER_POLICY_HEADER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The routes of the page and of its script's requests.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::public(Method::GET, "/app", |call| async move { Ok(render_page(&call)) }).static_file(),
        Route::public(Method::GET, "/app/page.css", |_| async {
            Ok(render_file("text/css; charset=utf-8", include_str!("app/page.css")))
        })
        .static_file(),
        Route::public(Method::GET, "/app/page.js", |_| async {
            Ok(render_file("text/javascript; charset=utf-8", include_str!("app/page.js")))
        })
        .static_file(),
    ];
    routes.extend(handlers::routes());
    routes
}

/// The page in the language that the browser prefers.
fn render_page(call: &Request) -> HttpResponse {
    let language = call.head().header(ACCEPT_LANGUAGE).and_then(PageLanguage::negotiate).unwrap_or_default();
    HttpResponse::Ok()
        .insert_header((CONTENT_LANGUAGE, language.tag()))
        .insert_header((VARY, "Accept-Language"))
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, PAGE_CSP))
        .insert_header((OPENER_POLICY_HEADER, "same-origin"))
        .body(page::html(language))
}

fn render_file(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, kind)).body(text)
}
