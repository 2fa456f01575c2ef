//! krmpesan's page for people: who generates a token logs in, picks a device, types the password once more, and copies the three
//! values. The page and its script and style are part of the program; they are the same for everybody and hold nothing secret.
//!
//! The script keeps its token in memory alone: no cookie and no store of the browser bears it, so no other page can call for it.

mod handlers;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};

use crate::route::Route;

/// What the page may do: run and wear what this mount serves, call this mount, and nothing else. A form is never sent by the
/// browser itself, so no password gets into an address where the script does not run.
const PAGE_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// Keeps a page that opened this one from reaching into it.
const OPENER_POLICY_HEADER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The page, and the calls that its script makes.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::public(Method::GET, "/app", |_| async { Ok(render_page()) }).static_file(),
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

fn render_page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, PAGE_CSP))
        .insert_header((OPENER_POLICY_HEADER, "same-origin"))
        .body(include_str!("app/page.html"))
}

fn render_file(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, kind)).body(text)
}
