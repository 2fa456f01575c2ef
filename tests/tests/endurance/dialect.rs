//! The contracts that tills use: how each logs in, reads the current session, refreshes and logs
//! out.

use serde_json::json;

use crate::http::{HttpReply, HttpRequest};

/// A contract with sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestDialect {
    Native,
    Portos,
    Kasir,
    Fiuu,
    PosStar,
}

/// The credentials of a login.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// The name of a user, or of a device that logs in as itself.
    pub(crate) name: String,
    pub(crate) password: String,
    /// The device, if the contract has one.
    pub(crate) device: String,
}

/// What a till stores of a response. In a contract with a single token, both fields have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl TestDialect {
    pub(crate) const ALL: [Self; 5] = [Self::Native, Self::Portos, Self::Kasir, Self::Fiuu, Self::PosStar];

    pub(crate) fn login_request(self, account: &Credentials) -> HttpRequest {
        let Credentials { name, password, device } = account;
        match self {
            Self::Native => HttpRequest::new("POST", "/api/v1/sessions")
                .json(&json!({ "login": name, "password": password, "device": device })),
            Self::Portos => HttpRequest::new("POST", "/portos/api/auth")
                .json(&json!({ "UserName": name, "Password": password, "DeviceName": device })),
            Self::Kasir => HttpRequest::new("POST", "/kasir/api/v1/auth/login")
                .json(&json!({ "email": name, "password": password })),
            Self::Fiuu => {
                HttpRequest::new("POST", "/fiuu/auth/login").form(format!("posId={name}&password={password}"))
            }
            Self::PosStar => HttpRequest::new("POST", "/posstar/api/v1/auth/login")
                .json(&json!({ "email": format!("{name}@example.com"), "password": password })),
        }
    }

    pub(crate) fn current_session_request(self, access: &str) -> HttpRequest {
        let target = match self {
            Self::Native => "/api/v1/sessions/current",
            Self::Portos => "/portos/api/auth",
            Self::Kasir => "/kasir/api/v1/auth/me",
            Self::Fiuu => "/fiuu/api/terminals",
            Self::PosStar => "/posstar/api/v1/auth/me",
        };
        HttpRequest::new("GET", target).bearer(access)
    }

    pub(crate) fn refresh_request(self, tokens: &Tokens) -> HttpRequest {
        let Tokens { access, refresh } = tokens;
        match self {
            Self::Native => {
                HttpRequest::new("POST", "/api/v1/sessions/refresh").json(&json!({ "refresh_token": refresh }))
            }
            Self::Portos => HttpRequest::new("POST", "/portos/api/auth/refresh")
                .json(&json!({ "tokenId": access, "refreshToken": refresh })),
            // as a browser does: by its cookie, which rotates from the first refresh on
            Self::Kasir => HttpRequest::new("POST", "/kasir/api/v1/auth/refresh")
                .header("origin", "http://{host}")
                .header("sec-fetch-site", "same-origin")
                .header("cookie", format!("refresh_token={refresh}")),
            Self::Fiuu => HttpRequest::new("POST", "/fiuu/auth/refresh").bearer(refresh),
            Self::PosStar => {
                HttpRequest::new("POST", "/posstar/api/v1/auth/refresh").json(&json!({ "token": refresh }))
            }
        }
    }

    pub(crate) fn logout_request(self, access: &str) -> HttpRequest {
        let (method, target) = match self {
            Self::Native => ("DELETE", "/api/v1/sessions/current"),
            Self::Portos => ("DELETE", "/portos/api/auth"),
            Self::Kasir => ("POST", "/kasir/api/v1/auth/logout"),
            Self::Fiuu => ("POST", "/fiuu/auth/logout"),
            Self::PosStar => ("POST", "/posstar/api/v1/auth/logout"),
        };
        HttpRequest::new(method, target).bearer(access)
    }

    /// The tokens in the response to a login or a refresh.
    pub(crate) fn parse_tokens(self, reply: &HttpReply) -> Option<Tokens> {
        let (access, refresh) = match self {
            Self::Native => ("/access_token", "/refresh_token"),
            Self::Portos => ("/tokenId", "/refreshToken"),
            Self::Kasir => ("/data/Token", "/data/refresh_token"),
            Self::Fiuu => ("/access/token", "/refresh/token"),
            Self::PosStar => ("/access_token", "/access_token"),
        };
        let tokens = Tokens { access: reply.text(access), refresh: reply.text(refresh) };
        let granted = matches!(reply.status, 200 | 201) && !tokens.access.is_empty() && !tokens.refresh.is_empty();
        granted.then_some(tokens)
    }
}
