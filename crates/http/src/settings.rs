//! Settings of the HTTP server. Terms of sessions belong to the dialects, prefixes to the mounts.

use std::time::Duration;

use ipnet::IpNet;

use crate::access_rule::AccessRule;
use crate::proxies::ProxyHeaders;

/// Settings of the HTTP server.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Networks of trusted proxies; forwarding headers of other peers are ignored.
    pub proxies: Vec<IpNet>,
    /// The forwarding headers that the proxies set.
    pub proxy_headers: ProxyHeaders,
    /// Maximum size of a body in bytes; a larger one is answered with 413.
    pub body_limit: usize,
    /// Memory limit of the addresses counted by a contract's rate limit, in bytes.
    pub rate_limiter_bytes: usize,
    /// Memory limit of Fiuu's terminal lists on each of its mounts, in bytes.
    pub terminal_list_bytes: usize,
    /// Maximum duration of a request. After it the response is 503, even if the request's thread
    /// hangs.
    pub deadline: Duration,
    /// Maximum number of requests of all workers that run on blocking threads at the same time.
    pub threads: usize,
    /// Maximum number of requests of a worker that run on or wait for a blocking thread; further
    /// ones are answered with 503 at once.
    pub blocking_limit: usize,
    /// Whether metrics are served beside the mounts.
    /// [`Http::operations_app`](crate::Http::operations_app) serves them on a separate listener.
    pub serve_metrics: bool,
    /// Whether the OpenAPI document and its page are served beside the mounts.
    pub serve_docs: bool,
    /// The address at which people reach the server, such as `https://pos.example`. Without it, no
    /// mails with a link can be sent, and proofs of keys are compared with the scheme and host that
    /// a request was sent to.
    pub public_url: Option<String>,
    /// The rows of the access table for gateways.
    pub access_rules: Vec<AccessRule>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            proxies: Vec::new(),
            proxy_headers: ProxyHeaders::default(),
            body_limit: 64 * 1024,
            rate_limiter_bytes: 4 << 20,
            terminal_list_bytes: 2 << 20,
            deadline: Duration::from_secs(5),
            threads: 192,
            blocking_limit: 1024,
            serve_metrics: true,
            serve_docs: true,
            public_url: None,
            access_rules: Vec::new(),
        }
    }
}
