//! A client of PosStar: an app with which a vendor registers and logs in.

use serde_json::json;
use tillgate_testkit::DatabaseEngine;

use crate::{Installation, RunningServer, TestResponse, TillClient};

/// A client of PosStar.
pub struct PosStarClient {
    till: TillClient,
}

impl PosStarClient {
    /// The password with which it registers.
    pub const PASSWORD: &str = "a song in the rain";

    /// Another password.
    pub const NEW_PASSWORD: &str = "another song entirely";

    /// An initialized installation that serves PosStar and logs everything. Its passwords are
    /// secrets.
    pub fn create_installation(engine: DatabaseEngine) -> Installation {
        let installation = Installation::new(engine).with_setting("LOG__LEVEL", "trace").with_posstar();
        installation.run_ok(&["init"], "");
        for secret in [Self::PASSWORD, Self::NEW_PASSWORD] {
            installation.secrets().add(secret);
        }
        installation
    }

    /// A client of this server that is not logged in.
    pub fn for_server(server: &RunningServer) -> Self {
        Self { till: server.new_till() }
    }

    /// Calls one of the paths below `auth`.
    pub fn post_auth(&self, call: &str, body: &serde_json::Value) -> TestResponse {
        self.till.post(&format!("/posstar/api/v1/auth/{call}"), body)
    }

    /// Registers a vendor.
    pub fn register(&self, email: &str) -> TestResponse {
        let (name, business) = ("Rita Retail", "Corner Shop");
        let body = json!({ "name": name, "email": email, "password": Self::PASSWORD, "business_name": business, "industry": "retail" });
        self.post_auth("register", &body)
    }

    /// Logs in.
    pub fn login(&self, email: &str, password: &str) -> TestResponse {
        self.post_auth("login", &json!({ "email": email, "password": password }))
    }

    /// Exchanges a token.
    pub fn exchange(&self, token: &str) -> TestResponse {
        self.post_auth("refresh", &json!({ "token": token }))
    }

    /// The same client with this access token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        let mut till = self.till.clone();
        token.clone_into(&mut till.access);
        Self { till }
    }

    /// Reads the own account.
    pub fn get_me(&self) -> TestResponse {
        self.till.get("/posstar/api/v1/auth/me")
    }

    /// Requests a password reset. The response does not depend on the address.
    pub fn forgot(&self, email: &str) {
        let response = self.post_auth("forgot-password", &json!({ "email": email })).expect_status(200);
        assert_eq!(response.text(), r#"{"message":"If the email exists, a reset link has been sent."}"#);
    }

    /// Sets a new password with the token from a mail.
    pub fn reset(&self, token: &str, password: &str) -> TestResponse {
        self.post_auth("reset-password", &json!({ "token": token, "password": password }))
    }
}
