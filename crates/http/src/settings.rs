//! What the HTTP side is set to. Terms of sessions are the dialects' own, places of mounts the mounts'.

use std::time::Duration;

use ipnet::IpNet;

use crate::access::AccessRule;
use crate::proxies::ProxyHeaders;

/// What the HTTP side is set to.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The networks of trusted proxies: from these alone forwarding headers are believed.
    pub proxies: Vec<IpNet>,
    /// Which forwarding headers they are.
    pub proxy_headers: ProxyHeaders,
    /// The largest body in bytes; a larger one is 413.
    pub body_limit: usize,
    /// How many bytes the addresses may take whose requests a contract counts.
    pub rate_limiter_bytes: usize,
    /// How many bytes Fiuu's lists of terminals may take, on each of its mounts.
    pub terminal_list_bytes: usize,
    /// How long a request may take; past it the answer is 503, though its thread may hang.
    pub deadline: Duration,
    /// How many requests of all workers may be on threads that wait at once.
    pub threads: usize,
    /// How many requests of a worker may be on threads that wait, or wait for one; the next is 503 at once.
    pub blocking_limit: usize,
    /// How long a client may take to send the head of a request. Whoever binds the sockets hands it to the server
    /// (`HttpServer::client_request_timeout`).
    pub header_deadline: Duration,
    /// Whether metrics are served beside the mounts. [`Http::operations`](crate::Http::operations) serves them on a listener of
    /// its own.
    pub serve_metrics: bool,
    /// Whether the OpenAPI document and its page are served beside the mounts.
    pub serve_docs: bool,
    /// What gateways let through, row by row.
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
            header_deadline: Duration::from_secs(5),
            serve_metrics: true,
            serve_docs: true,
            access_rules: Vec::new(),
        }
    }
}
