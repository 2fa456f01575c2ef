//! The app: one document for all of its pages, and the files that it loads. They are the same for
//! everybody and contain no data, so they need no session.
//!
//! A document names the files of its own version by their digest. A browser keeps these files for
//! good and asks only for the document again.

use std::io::Write as _;
use std::sync::{Arc, LazyLock, OnceLock};

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, IF_NONE_MATCH, VARY,
};
use actix_web::web::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tillgate_web::{Asset, IndexPage, PAGES, digest, find_asset, render_index};

use crate::error::{ApiError, ProtocolError};
use crate::request::Request;
use crate::request::head::RequestHead;
use crate::serving::route::Route;

/// The document may run scripts and styles of this server and call it, and nothing else. Only the
/// policy of lit-html may turn text into HTML.
const APP_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types lit-html";

/// A file's address changes with its content, so browsers never ask for it again.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The paths of the pages, with the page that each of them shows.
static PAGE_PATHS: LazyLock<Vec<(String, &'static str)>> = LazyLock::new(|| {
    let first = [(String::new(), ""), ("/".to_owned(), "")];
    let named = PAGES.iter().flat_map(|page| [(format!("/{page}"), *page), (format!("/{page}/{{item}}"), *page)]);
    first.into_iter().chain(named).collect()
});

pub(super) fn routes() -> Vec<Route> {
    let page = |(path, page): &'static (String, &'static str)| {
        let document = Arc::new(OnceLock::new());
        let show = move |call: Request| {
            let document = Arc::clone(&document);
            async move {
                let document = document.get_or_init(|| Document::new(render_index(call.head().prefix(), page)));
                Ok(document.render(call.head()))
            }
        };
        Route::public(Method::GET, path.as_str(), show).static_file()
    };
    let file = Route::public(Method::GET, "/a/{digest}/{file}*", get_file).static_file();
    PAGE_PATHS.iter().map(page).chain([file]).collect()
}

/// Whether a path below the prefix is that of a page.
pub(super) fn is_page(path: &str) -> bool {
    let below = path.strip_prefix('/').unwrap_or(path);
    let (page, item) = below.split_once('/').unwrap_or((below, ""));
    below.is_empty() || (PAGES.contains(&page) && !item.contains('/'))
}

/// The document of a page, with its compressed form.
struct Document {
    page: IndexPage,
    gzip: Bytes,
    plain: Bytes,
}

impl Document {
    fn new(page: IndexPage) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // a vector accepts every write
        let _ = encoder.write_all(&page.bytes);
        Self { gzip: encoder.finish().unwrap_or_default().into(), plain: page.bytes.clone().into(), page }
    }

    fn render(&self, head: &RequestHead) -> HttpResponse {
        let mut response = render_content(head, &self.page.etag, "text/html; charset=utf-8", || {
            (self.plain.clone(), self.gzip.clone())
        });
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(APP_CSP));
        response
    }
}

async fn get_file(call: Request) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    // the files of another version are not here, and must not be mixed with those that are
    let found = (head.path_parameter("digest") == digest()).then(|| find_asset(head.path_parameter("file"))).flatten();
    let asset: &'static Asset = found.ok_or(ProtocolError::RouteNotFound)?;
    let mut response = render_content(head, &asset.etag, asset.content_type, || {
        (Bytes::from_static(&asset.bytes), Bytes::from_static(asset.gzip()))
    });
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(IMMUTABLE));
    Ok(response)
}

/// Renders content that never changes under its entity tag: 304 if the browser has it, compressed
/// if the browser accepts that. The tag is weak, because both forms have it.
fn render_content(
    head: &RequestHead,
    etag: &str,
    content_type: &'static str,
    content: impl FnOnce() -> (Bytes, Bytes),
) -> HttpResponse {
    let is_known = head.headers().get_all(IF_NONE_MATCH).any(|line| names_tag(line, etag));
    let mut response = if is_known {
        HttpResponse::NotModified().finish()
    } else {
        let (plain, gzip) = content();
        let compressed = head.headers().get_all(ACCEPT_ENCODING).any(accepts_gzip) && gzip.len() < plain.len();
        let mut response = HttpResponse::Ok();
        response.insert_header((CONTENT_TYPE, content_type));
        if compressed {
            response.insert_header((CONTENT_ENCODING, "gzip"));
        }
        response.body(if compressed { gzip } else { plain })
    };
    insert(&mut response, ETAG, &format!("W/{etag}"));
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

fn insert(response: &mut HttpResponse, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Whether `If-None-Match` names this tag, compared weakly (RFC 9110, 13.1.2).
fn names_tag(line: &HeaderValue, etag: &str) -> bool {
    let Ok(line) = line.to_str() else { return false };
    line.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// Whether `Accept-Encoding` accepts gzip (RFC 9110, 12.5.3).
fn accepts_gzip(line: &HeaderValue) -> bool {
    let Ok(line) = line.to_str() else { return false };
    line.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)));
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_only_if_accepted() {
        for (line, accepted) in [
            ("gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, GZIP;q=0.8", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(accepts_gzip(&HeaderValue::from_static(line)), accepted, "{line}");
        }
    }

    #[test]
    fn entity_tag_is_compared_weakly() {
        for (line, named) in
            [("\"a\"", true), ("W/\"a\"", true), ("\"b\", W/\"a\"", true), ("*", true), ("\"b\"", false)]
        {
            assert_eq!(names_tag(&HeaderValue::from_static(line), "\"a\""), named, "{line}");
        }
    }

    #[test]
    fn page_is_recognized_by_its_path() {
        for path in ["", "/", "/tills", "/people/0192", "/api-keys"] {
            assert!(is_page(path), "{path}");
        }
        for path in ["/other", "/tills/a/b", "//tills", "/sign-in", "/a/x/app.css", "/api/v1"] {
            assert!(!is_page(path), "{path}");
        }
    }
}
