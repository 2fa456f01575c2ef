//! The table of all settings with their sections, types, defaults and meanings. A setting is
//! declared nowhere else; a test compares `config/tillgate.toml` with this table.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use tillgate_domain::Secret;
use tillgate_http::{AccessRule, SameSite, SecurePolicy, WebOrigin};
use toml::Value;

use super::ConfigError;
use super::layers::{Key, Layers, SecretFile, Source};
use super::mount_rows::MountConfig;
use super::value::{Algorithm, ByteSize, ForwardingHeaders, LogFormat, MailTls, PublicUrl, Setting};

macro_rules! settings {
    ($($(#[$section_doc:meta])* $section:ident: $Section:ident {
        $($(#[$doc:meta])* $key:ident: $type:ty = $default:literal $($secret:ident)?,)*
    })*) => {
        /// All settings, in the order of the table.
        pub(crate) const KEYS: &[Key] = &[$($(Key {
            path: concat!(stringify!($section), ".", stringify!($key)),
            default: $default,
            secret: settings!(@secret $($secret)?),
        },)*)*];

        $(
            $(#[$section_doc])*
            #[derive(Clone, Debug, PartialEq)]
            pub(crate) struct $Section {
                $($(#[$doc])* pub(crate) $key: $type,)*
            }
        )*

        /// All settings, read and validated.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            $($(#[$section_doc])* pub(crate) $section: $Section,)*
            /// The dialects that are served, and where.
            pub(crate) mounts: Vec<MountConfig>,
            /// The access table for gateways.
            pub(crate) access: Vec<AccessRule>,
            /// The files that contain secrets, except a master key in the data folder.
            pub(crate) secret_files: Vec<SecretFile>,
            /// The flags that select this installation, quoted for a shell, each after a space;
            /// hints repeat them.
            pub(crate) flags: String,
            /// Whether no flag, environment variable or file selects the data folder or the
            /// database.
            pub(crate) is_default_database: bool,
        }

        impl Settings {
            /// Reads every setting from the layers or its default. The access rules are read later.
            pub(super) fn read_keys(layers: &Layers, mounts: Vec<MountConfig>) -> Result<Self, ConfigError> {
                Ok(Self {
                    $($section: $Section {
                        $($key: read_value(layers, concat!(stringify!($section), ".", stringify!($key)), $default)?,)*
                    },)*
                    mounts,
                    access: Vec::new(),
                    secret_files: layers.secret_files(),
                    flags: String::new(),
                    is_default_database: ["server.data", "database.url"].iter().all(|key| layers.find(key).is_none()),
                })
            }
        }
    };
    (@secret) => { false };
    (@secret secret) => { true };
}

settings! {
    /// The listener and the data folder.
    server: Server {
        /// The address to listen on.
        listen: SocketAddr = "127.0.0.1:8080",
        /// The folder of the database and the keys.
        data: PathBuf = "./data",
        /// The certificate chain (PEM). With `tls_key`, the server uses TLS.
        tls_cert: Option<PathBuf> = "",
        /// The private key of the certificate (PEM).
        tls_key: Option<PathBuf> = "",
        /// How often the two files are checked for changes. SIGHUP checks them immediately.
        tls_reload: Duration = "60s",
        /// Networks of the proxies whose forwarding headers are trusted.
        proxies: Vec<IpNet> = "",
        /// The forwarding headers: `x-forwarded` (`X-Forwarded-For`, `-Proto`, `-Host`) or
        /// `forwarded` (`Forwarded`, RFC 7239). The proxy must set them itself: a header that it
        /// only passes on is controlled by the client.
        proxy_headers: ForwardingHeaders = "x-forwarded",
        /// The address at which people reach the server, such as `https://pos.example`, without a
        /// path; http only for this machine. It begins the links in mails. Empty: such mails are
        /// not sent.
        public_url: Option<PublicUrl> = "",
        /// Threads that serve requests. 0: one per core.
        workers: u32 = "0",
        /// Shutdown grace period: how long a shutdown waits for requests in progress.
        grace: Duration = "10s",
    }
    /// The database.
    database: Database {
        /// `sqlite:FILE`, relative to the data folder, or a libpq address `postgres://...`.
        url: Secret<String> = "sqlite:tillgate.db" secret,
        /// How long the server waits for PostgreSQL at start before it fails.
        start_wait: Duration = "30s",
        /// How long a unit of work may wait for a connection and be retried.
        deadline: Duration = "2s",
        /// How many units of work may wait. The next one is answered 503.
        waiting: u32 = "256",
        /// Maximum number of connections.
        connections: u32 = "8",
        /// How long an unused connection is kept. One is always kept.
        idle: Duration = "30s",
        /// How long a server runs before it removes data that is no longer needed. This leaves time
        /// to set a clock that is wrong at start.
        sweep_delay: Duration = "1h",
    }
    /// Caches, each with its maximum size in bytes. Data that does not fit is read or verified
    /// again.
    caches: Caches {
        /// Access tokens with a verified signature.
        tokens: ByteSize = "3MiB",
        /// Users and devices with their rights.
        profiles: ByteSize = "6MiB",
        /// Sessions that are known to be live.
        sessions: ByteSize = "1MiB",
        /// First uses of PosStar's tokens.
        first_uses: ByteSize = "2MiB",
        /// API keys.
        api_keys: ByteSize = "2MiB",
        /// Ended sessions and other changes.
        revocations: ByteSize = "4MiB",
        /// Recently rotated refresh tokens, and uses of sessions that are not written yet.
        activity: ByteSize = "8MiB",
        /// Denied requests that are not recorded in the audit log yet.
        denials: ByteSize = "4MiB",
        /// Proofs of keys, of requests that change nothing.
        proofs: ByteSize = "4MiB",
        /// Addresses whose requests are counted, for each API that counts them.
        addresses: ByteSize = "4MiB",
        /// Fiuu's terminal lists, shared for one second, for each of its mounts.
        terminals: ByteSize = "2MiB",
        /// Pages of the SQLite file, in all connections together. PostgreSQL has its own cache.
        pages: ByteSize = "4MiB",
    }
    /// The server's keys.
    keys: Keys {
        /// The master key: 32 bytes in base64. Empty: the file `master.key` in the data folder.
        master: Option<Secret<String>> = "" secret,
        /// How long a new key is published before it is used.
        lead: Duration = "1d",
        /// The signature algorithm of access tokens: `EdDSA` or `ES256`.
        algorithm: Algorithm = "EdDSA",
    }
    /// Access tokens.
    tokens: Tokens {
        /// The issuer in access tokens and in the OAuth metadata: a URL, at which strict clients
        /// find the server, or another URI. Empty: `urn:uuid:` and the instance id.
        issuer: Option<String> = "",
    }
    /// Session lifetimes of the native API.
    sessions: Sessions {
        /// Lifetime of an access token, at most 24 h.
        access: Duration = "15m",
        /// How long after its last refresh a session ends.
        idle: Duration = "30d",
        /// How long after its login a session ends.
        absolute: Duration = "90d",
        /// Grace period after a rotation during which the previous refresh token still returns its
        /// successor.
        overlap: Duration = "120s",
        /// How long an ended session stays in lists.
        keep: Duration = "30d",
    }
    /// Session lifetimes of enrolled devices (docs/tills.md#enrollment) and of operators on them.
    till: Till {
        /// Lifetime of an access token, at most 24 h.
        access: Duration = "15m",
        /// How long after its last refresh a session ends.
        idle: Duration = "90d",
        /// Grace period after a rotation during which the previous refresh token still returns its
        /// successor.
        overlap: Duration = "120s",
        /// How long after the enrollment the session of a device ends that keeps its key in
        /// software.
        software_absolute: Duration = "400d",
        /// Whether a device is believed that says it keeps its key in hardware, which it does not
        /// prove. Such a key cannot be copied, so its session then has no such end.
        trust_hardware_claim: bool = "false",
        /// Lifetime of an operator's access token, at most 24 h (docs/tills.md#operators).
        operator_access: Duration = "5m",
        /// How long after its last refresh an operator's session ends.
        operator_idle: Duration = "15m",
        /// How long after the sign-in an operator's session ends.
        operator_absolute: Duration = "12h",
    }
    /// Session lifetimes of the back office in the browser.
    office: Office {
        /// How long after its last renewal a session ends. Its access tokens live as long.
        idle: Duration = "15m",
        /// The same while the user may change nothing.
        read_only_idle: Duration = "1h",
        /// How long after the sign-in a session ends, at most 24 h.
        absolute: Duration = "12h",
        /// How old the last confirmation of the password may be for acts that give or take access.
        max_proof_age: Duration = "5m",
    }
    /// Session lifetimes of PORTOS.
    portos: Portos {
        /// Lifetime of an access token, at most 24 h.
        access: Duration = "15m",
        /// How long after its last refresh a session ends.
        idle: Duration = "12h",
        /// Grace period after a rotation during which the previous refresh token still returns its
        /// successor.
        overlap: Duration = "300s",
        /// Whether refresh tokens rotate. Set `false` for clients that keep their first one.
        rotation: bool = "true",
    }
    /// POS Kasir: session lifetimes, cookies and cross-origin requests.
    kasir: Kasir {
        /// Lifetime of an access token and its cookie, 15 to 60 minutes.
        access: Duration = "1h",
        /// How long after its last refresh a session ends, 7 to 30 days.
        idle: Duration = "7d",
        /// Grace period after a rotation during which the previous refresh token still returns its
        /// successor.
        overlap: Duration = "120s",
        /// Web front ends on other origins, such as `https://pos.example`, whose scripts may make
        /// calls with their users' cookies.
        origins: Vec<WebOrigin> = "",
        /// Whether cookies are sent over TLS only: `auto` (if the client used https), `on` or
        /// `off`.
        secure: SecurePolicy = "auto",
        /// Whether cookies are sent with requests from other sites: `lax`, `strict`, `none`, or
        /// `auto`: `none` if there are origins and the cookie is secure, otherwise `lax`.
        same_site: SameSite = "auto",
        /// Requests per minute from one address. The next one is answered 429.
        per_minute: u32 = "100",
    }
    /// Fiuu POS. Its sessions end at the next midnight in the tenant's time zone.
    fiuu: Fiuu {
        /// Lifetime of an access token, unless midnight is earlier.
        access: Duration = "15m",
        /// Grace period after a rotation during which the previous refresh token still returns its
        /// successor.
        overlap: Duration = "120s",
        /// Whether refresh tokens rotate. Set `false` for clients that keep their first one.
        rotation: bool = "true",
        /// Requests per minute from one address. The next one is answered 429.
        per_minute: u32 = "100",
    }
    /// PosStar: session lifetimes and the rate limit.
    posstar: PosStar {
        /// Lifetime of a token. A live token can be exchanged for the next one.
        access: Duration = "24h",
        /// How long after its login a session ends, however often its token is exchanged. Empty:
        /// never.
        absolute: Option<Duration> = "90d",
        /// How long an exchanged token stays valid after the first use of its successor.
        overlap: Duration = "300s",
        /// Registrations and password resets per minute from one address. The next one is answered
        /// 429.
        per_minute: u32 = "20",
    }
    /// Mail: password resets, invitations, and the verification of e-mail addresses.
    mail: Mail {
        /// The host of the mail server. Empty: mails are written to the folder `spool` of the data
        /// folder.
        host: Option<String> = "",
        /// Its port. Empty: 587 for `starttls`, 465 for `tls`, 25 for `off`.
        port: Option<u32> = "",
        /// `starttls`, `tls` from the first byte, or `off`.
        tls: MailTls = "starttls",
        /// The user name for the mail server. Empty: no login.
        user: Option<String> = "",
        /// The password of that user.
        password: Option<Secret<String>> = "" secret,
        /// The sender of the mails.
        from: String = "tillgate@localhost",
        /// The link in a mail, such as `https://pos.example/reset?token={token}`. The app behind it
        /// sends the token back with a new password. Empty: the mail contains only the token.
        reset_link: Option<String> = "",
    }
    /// The native API.
    native: Native {
        /// The path at which it is mounted.
        prefix: String = "/api/v1",
    }
    /// OAuth endpoints for other systems: token introspection and revocation (docs/oauth.md).
    oauth: OAuth {
        /// The path at which they are mounted.
        prefix: String = "/oauth",
    }
    /// The audit log.
    audit: Audit {
        /// The file with the newest seal of the audit log outside the database, relative to the
        /// data folder. Empty: `audit.seal`.
        seal: Option<PathBuf> = "",
    }
    /// Passwords: the cost of Argon2id, and which passwords are accepted.
    passwords: Passwords {
        /// Memory per hash.
        memory: ByteSize = "19MiB",
        /// Passes per hash.
        passes: u32 = "2",
        /// Concurrent hashes. 0: one per core.
        workers: u32 = "0",
        /// Logins that may wait for a hash, at most two thirds of `limits.threads`. The next one is
        /// answered 503. Half of them may come from networks in which their account has not logged
        /// in before.
        waiting: u32 = "128",
        /// A file of passwords to reject, one per line in UTF-8, at most 64 MiB. Empty: only the
        /// built-in list. The server uses eight bytes of memory for each.
        list: Option<PathBuf> = "",
    }
    /// Limits for failed logins (docs/operating.md).
    throttle: Throttle {
        /// Wrong passwords that a client may try for an account if it presents a refresh token of
        /// an earlier session; after that one every 5 s.
        free: u32 = "5",
        /// Wrong passwords that a network (IPv4 /24, IPv6 /48) may try for each account that has
        /// logged in there before, and for all other accounts together; after that one a minute
        /// each.
        address_free: u32 = "50",
        /// Wrong passwords for an account from all networks together in which it has not logged in
        /// before; after that one every 16 minutes.
        unknown_free: u32 = "10",
        /// How long a network stays known after a successful login.
        known: Duration = "90d",
    }
    /// Revocation data in the memory of this process.
    revocation: Revocation {
        /// Maximum age of the revocation data. Beyond it, requests are answered 503.
        max_age: Duration = "60s",
    }
    /// Limits for requests and connections.
    limits: Limits {
        /// The largest request body. A body with a ticket may always be 2MiB, so that any ticket
        /// the server shows can be sent back.
        body: ByteSize = "256KiB",
        /// How long the head of a request may take to arrive. A slower one is answered 408.
        head: Duration = "5s",
        /// How long a request may take before it is answered 503.
        request: Duration = "5s",
        /// How long an idle connection is kept.
        keep_alive: Duration = "75s",
        /// How long a client may read nothing of a response before its connection is closed.
        write: Duration = "30s",
        /// Total number of threads on which requests wait for the database or for a hash.
        threads: u32 = "192",
        /// Requests that may wait for such a thread, per thread that serves requests. The next one
        /// is answered 503 immediately, or replaces one of a network (IPv4 /24, IPv6 /48) that has
        /// more requests waiting.
        waiting: u32 = "128",
        /// Concurrent connections per thread.
        connections: u32 = "10000",
        /// Concurrent connections of one network (an IPv4 address, an IPv6 /64). The next one is
        /// closed immediately. Trusted proxies and the machine itself are not counted.
        per_network: u32 = "1024",
    }
    /// Health, metrics and the API documentation.
    operations: Operations {
        /// A separate listener for `/healthz`, `/readyz`, `/metrics`, `/openapi.json` and `/docs`.
        /// Empty: `127.0.0.1:8081` if the server listens beyond loopback or behind a proxy,
        /// otherwise none. If there is one, `/metrics` is served only there.
        listen: Option<SocketAddr> = "",
        /// Whether the server's main listener also serves `/openapi.json` and `/docs`.
        docs: bool = "true",
    }
    /// The log on standard error.
    log: Log {
        /// `text` or `json`.
        format: LogFormat = "text",
        /// What is logged, as directives of tracing: `info`, `warn,tillgate_http=debug`.
        level: String = "info",
        /// Lines that may wait to be written. Further lines are dropped.
        waiting: u32 = "8192",
        /// Where traces are sent: an OTLP collector over plain HTTP, such as
        /// `http://127.0.0.1:4318`. Requires a build with `otlp`.
        traces: Option<String> = "",
    }
}

/// The full names of all settings, as `section.key`.
pub fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.path)
}

fn read_value<T: Setting>(layers: &Layers, key: &'static str, default: &str) -> Result<T, ConfigError> {
    let fault = |source: &Source, why| ConfigError::Value { source: source.clone(), key: key.to_owned(), why };
    match layers.find(key) {
        Some((Value::String(_), source @ Source::File(_))) if T::IS_LIST => {
            Err(fault(source, "must be a list in a file: put each value in quotes, and all in [ ]".to_owned()))
        }
        Some((value, source)) => T::read(value).map_err(|why| fault(source, why)),
        None => T::read(&Value::String(default.to_owned())).map_err(|why| fault(&Source::Default, why)),
    }
}
