//! The pages for signing in and out: forms that work without scripts.

use actix_web::HttpResponse;
use actix_web::http::header::{
    ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, REFERRER_POLICY, VARY,
};
use actix_web::http::{Method, StatusCode};
use tillgate_auth_core::{AuthDenied, LoginDenied};
use tillgate_domain::Secret;
use tillgate_web::{ErrorPage, PageError, PageLanguage, SignInNotice, SignInPage, SignedOutPage};

use super::app;
use super::cookies::{CookieNames, find_language_cookie, set_language_cookie};
use super::session::{SignInRequest, render_signed_out, sign_out};
use crate::error::{ApiError, ProtocolError};
use crate::request::Request;
use crate::request::body;
use crate::request::form::read_form_pairs;
use crate::request::head::RequestHead;
use crate::request::origin_check::{TrustedSenders, check_origin};
use crate::serving::route::Route;

pub(super) const SIGN_IN_PATH: &str = "/sign-in";
const SIGNED_OUT_PATH: &str = "/signed-out";

/// The pages load one style sheet and images, and post forms to this server.
const PAGE_CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// The pages whose form has a one-time token also load a script, which moves the token of the link
/// into the form.
pub(super) const TOKEN_PAGE_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The query parameter with the language that a person chooses on a page.
const LOCALE_PARAMETER: &str = "lang";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::public(Method::GET, SIGN_IN_PATH, show_sign_in),
        Route::public(Method::POST, SIGN_IN_PATH, sign_in),
        Route::public(Method::POST, "/sign-out", post_sign_out),
        Route::public(Method::GET, SIGNED_OUT_PATH, show_signed_out),
    ]
}

async fn show_sign_in(call: Request) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    CookieNames::require_for(head)?;
    let sent = read_form_pairs(head.query().as_bytes()).unwrap_or_default();
    let form = SignInForm::from_pairs(&sent, head.prefix());
    let is_saved = sent.iter().any(|(name, _)| name == "saved");
    Ok(form.render(head, StatusCode::OK, is_saved.then_some(SignInNotice::PasswordSaved)))
}

async fn sign_in(call: Request) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    check_origin(TrustedSenders::OwnPages, head)?;
    let names = CookieNames::require_for(head)?;
    let form = SignInForm::from_pairs(&body::read_form(head.headers(), call.body())?, head.prefix());
    let sign_in = SignInRequest {
        login: form.login.clone(),
        password: form.password.clone(),
        new_password: form.new_password.clone(),
        tenant: None,
    };
    match sign_in.run(&call, names).await {
        Ok(issued) => {
            let mut response = redirect_to(&form.next);
            names.set_tokens(&mut response, &issued, call.auth().time().at);
            Ok(response)
        }
        Err(failure) => form.render_failure(head, failure),
    }
}

async fn post_sign_out(call: Request) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    check_origin(TrustedSenders::OwnPages, head)?;
    let names = CookieNames::require_for(head)?;
    sign_out(&call, names).await?;
    let mut response = redirect_to(&format!("{}{SIGNED_OUT_PATH}", head.prefix()));
    render_signed_out(names, &mut response);
    Ok(response)
}

async fn show_signed_out(call: Request) -> Result<HttpResponse, ApiError> {
    let head = call.head();
    let page = SignedOutPage { language: choose_language(head), prefix: head.prefix() };
    Ok(render_page(head, StatusCode::OK, page.render()))
}

/// Redirects with 303, so that the browser requests the page with GET.
pub(super) fn redirect_to(path: &str) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    if let Ok(path) = HeaderValue::from_str(path) {
        response.insert_header((LOCATION, path));
    }
    response.finish()
}

/// What the sign-in form sends.
struct SignInForm {
    login: String,
    password: Secret<String>,
    new_password: Option<Secret<String>>,
    /// The page to continue at: one of this back office.
    next: String,
}

impl SignInForm {
    /// Reads the fields; unknown ones are ignored, and of repeated ones the first counts.
    fn from_pairs(pairs: &[(String, String)], prefix: &str) -> Self {
        let field = |name: &str| pairs.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.clone());
        let next = field("next").filter(|next| is_own_page(next, prefix));
        Self {
            login: field("login").unwrap_or_default(),
            password: Secret::new(field("password").unwrap_or_default()),
            new_password: field("new_password").map(Secret::new),
            next: next.unwrap_or_else(|| format!("{prefix}/")),
        }
    }

    fn render(&self, head: &RequestHead, status: StatusCode, notice: Option<SignInNotice>) -> HttpResponse {
        let page = SignInPage {
            language: choose_language(head),
            prefix: head.prefix(),
            tenant: None,
            next: &self.next,
            login: &self.login,
            notice,
        };
        render_page(head, status, page.render())
    }

    /// Shows the form again with what to do, if the person can do something there.
    fn render_failure(&self, head: &RequestHead, failure: ApiError) -> Result<HttpResponse, ApiError> {
        let seconds = failure.retry_after_seconds();
        let notice = match &failure {
            ApiError::Denied(AuthDenied::Login(LoginDenied::PasswordChangeRequired)) => {
                SignInNotice::PasswordChangeRequired
            }
            ApiError::Denied(AuthDenied::Login(LoginDenied::OfficeRoleMissing)) => SignInNotice::NoRole,
            ApiError::Denied(AuthDenied::Login(_)) => SignInNotice::Mismatch,
            ApiError::Denied(AuthDenied::WeakPassword(_)) => SignInNotice::WeakPassword,
            ApiError::Denied(AuthDenied::TooManyAttempts { .. }) => {
                SignInNotice::Throttled { retry_after: seconds.unwrap_or(1) }
            }
            ApiError::Unavailable { reason, .. } => {
                tracing::warn!(trace = head.trace_id(), reason, "unavailable");
                SignInNotice::Unavailable
            }
            _ => return Err(failure),
        };
        head.meta().error_code.set(Some(failure.code()));
        let status = match notice {
            SignInNotice::PasswordChangeRequired | SignInNotice::NoRole => StatusCode::FORBIDDEN,
            _ => failure.status(),
        };
        let mut response = self.render(head, status, Some(notice));
        failure.insert_retry_after(response.headers_mut());
        Ok(response)
    }
}

/// Whether `next` is the address of a page of the back office at `prefix`, and nothing that a
/// browser could take for another site.
fn is_own_page(next: &str, prefix: &str) -> bool {
    let plain = next.len() <= 2048 && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let dots = path.split('/').any(|segment| segment.to_ascii_lowercase().replace("%2e", ".").starts_with(".."));
    plain && !dots && next.starts_with('/') && path.strip_prefix(prefix).is_some_and(app::is_page)
}

/// Renders an error as a page.
pub(super) fn render_error_page(failure: &ApiError, head: &RequestHead) -> HttpResponse {
    let error = match failure {
        ApiError::Protocol(ProtocolError::RouteNotFound) => PageError::NotFound,
        ApiError::Protocol(ProtocolError::UntrustedOrigin) => PageError::ForeignOrigin,
        ApiError::Protocol(ProtocolError::TlsRequired) => PageError::PlainHttp,
        ApiError::Protocol(ProtocolError::RateLimited { .. }) => PageError::Throttled,
        ApiError::Unavailable { .. } => PageError::Unavailable,
        _ => PageError::Other,
    };
    let page =
        ErrorPage { language: choose_language(head), prefix: head.prefix(), error, trace_id: Some(head.trace_id()) };
    render_page(head, failure.status(), page.render())
}

pub(super) fn render_page(head: &RequestHead, status: StatusCode, html: String) -> HttpResponse {
    render_page_with(head, status, PAGE_CSP, html)
}

/// Renders a page with a content security policy of its own. The browser keeps the language that
/// the person chose by the request.
pub(super) fn render_page_with(
    head: &RequestHead,
    status: StatusCode,
    policy: &'static str,
    html: String,
) -> HttpResponse {
    let mut response = HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        // with `no-referrer`, a form says `Origin: null`, and older browsers send nothing else that
        // names their page (Fetch standard, 3.1)
        .insert_header((REFERRER_POLICY, "same-origin"))
        .insert_header((VARY, "Accept-Language, Cookie"))
        .body(html);
    if let Some(language) = find_chosen_language(head) {
        set_language_cookie(&mut response, head, language);
    }
    response
}

/// The language of a page: the one that the person chooses by this request, or chose before, or
/// that the browser prefers.
pub(super) fn choose_language(head: &RequestHead) -> PageLanguage {
    let preferred = || head.header(ACCEPT_LANGUAGE).and_then(PageLanguage::negotiate);
    find_chosen_language(head).or_else(|| find_language_cookie(head)).or_else(preferred).unwrap_or_default()
}

fn find_chosen_language(head: &RequestHead) -> Option<PageLanguage> {
    let sent = read_form_pairs(head.query().as_bytes()).unwrap_or_default();
    let (_, tag) = sent.iter().find(|(name, _)| name == LOCALE_PARAMETER)?;
    PageLanguage::from_tag(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_page_is_one_of_this_back_office() {
        for next in
            ["/office", "/office/", "/office/tills", "/office/people/0192?tab=roles", "/office/audit?text=a%20b#top"]
        {
            assert!(is_own_page(next, "/office"), "{next}");
        }
        for next in [
            "",
            "tills",
            "//evil.example",
            "//evil.example/office/tills",
            "https://evil.example/office/tills",
            "/\\evil.example",
            "/office\\evil.example",
            "/office/..//evil.example",
            "/office/tills/%2e%2E",
            "/officer/tills",
            "/office/sign-in?next=/office",
            "/office/sign-out",
            "/office/tills\r\nSet-Cookie: a=b",
            "/office/tills/ä",
            "/api/v1/users",
            "javascript:alert(1)",
        ] {
            assert!(!is_own_page(next, "/office"), "{next}");
        }
        assert!(is_own_page("/tills", "") && !is_own_page("//tills", ""), "at the root");
    }
}
