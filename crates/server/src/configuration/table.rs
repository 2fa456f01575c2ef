//! The table of every setting: section, key, type, default and meaning. It is the one place where a key is declared; the
//! configuration file in the repository is held to it by a test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use tillgate_domain::Secret;
use tillgate_http::{AccessRule, SameSite, SecurePolicy, WebOrigin};
use toml::Value;

use super::layers::{Layers, Source};
use super::mounts::{self, MountConfig};
use super::value::{Algorithm, ByteSize, ForwardingHeaders, LogFormat, MailTls, Setting};
use super::{ConfigError, access, validation};

/// A key as the table declares it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// `section.key`.
    pub(crate) path: &'static str,
    /// The default, as a variable would say it.
    #[cfg_attr(not(test), expect(dead_code, reason = "compared with the configuration file by a test"))]
    pub(crate) default: &'static str,
    /// Whether `key_file` may name a file with the value in it, and whether the value is kept out of what is shown.
    pub(crate) secret: bool,
}

macro_rules! settings {
    ($($(#[$section_doc:meta])* $section:ident: $Section:ident {
        $($(#[$doc:meta])* $key:ident: $type:ty = $default:literal $($secret:ident)?,)*
    })*) => {
        /// Every key, in the order of the table.
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

        /// Every setting.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            $($(#[$section_doc])* pub(crate) $section: $Section,)*
            /// Which contracts are served, and where.
            pub(crate) mounts: Vec<MountConfig>,
            /// What gateways let through.
            pub(crate) access: Vec<AccessRule>,
            /// The flags that name this installation, as a shell takes them, each after a blank.
            pub(crate) flags: String,
        }

        impl Settings {
            /// Reads every key from the layers, else its default, and checks what has to go together.
            pub(crate) fn read(layers: &Layers) -> Result<Self, ConfigError> {
                let mounts = mounts::read_mounts(layers)?;
                let settings = Self {
                    $($section: $Section {
                        $($key: read_value(layers, concat!(stringify!($section), ".", stringify!($key)), $default)?,)*
                    },)*
                    access: access::read_rules(layers, &mounts)?,
                    mounts,
                    flags: String::new(),
                };
                validation::check_settings(&settings)?;
                Ok(settings)
            }
        }
    };
    (@secret) => { false };
    (@secret secret) => { true };
}

settings! {
    /// Where the server listens and keeps its files.
    server: Server {
        /// The address to listen on.
        listen: SocketAddr = "127.0.0.1:8080",
        /// The folder of the database and the keys.
        data: PathBuf = "./data",
        /// The certificate chain (PEM); with `tls_key` the server speaks TLS.
        tls_cert: Option<PathBuf> = "",
        /// The private key of the certificate (PEM).
        tls_key: Option<PathBuf> = "",
        /// How often the two files are looked at; changed ones are taken over. SIGHUP does it at once.
        tls_reload: Duration = "60s",
        /// Networks of the proxies whose forwarding headers are believed.
        proxies: Vec<IpNet> = "",
        /// Which headers those are: `x-forwarded` (`X-Forwarded-For`, `-Proto`, `-Host`) or `forwarded` (`Forwarded`, RFC 7239). The proxy
        /// must set them itself: what it passes through is the client's to choose.
        proxy_headers: ForwardingHeaders = "x-forwarded",
        /// Threads that serve requests; 0: one per core.
        workers: u32 = "0",
        /// How long a shutdown waits for requests that are under way.
        grace: Duration = "10s",
    }
    /// The database.
    database: Database {
        /// `sqlite:FILE`, relative to the data folder, or libpq's `postgres://...`.
        url: Secret<String> = "sqlite:tillgate.db" secret,
        /// How long a start waits for PostgreSQL to be reached before it fails.
        start_wait: Duration = "30s",
        /// How long a unit of work may wait and run again.
        deadline: Duration = "2s",
        /// How many units of work may wait; the next is answered 503.
        waiting: u32 = "256",
        /// Connections that are kept at most.
        connections: u32 = "8",
        /// How long a connection that nobody needs is kept. One is kept in any case.
        idle: Duration = "30s",
        /// How long a server runs before it begins to remove what nobody needs any more: time to set a clock that is wrong at the
        /// start.
        sweep_delay: Duration = "1h",
    }
    /// What the server remembers besides the database, in bytes at most. What does not fit is read, or checked, once more.
    caches: Caches {
        /// Access tokens that have verified.
        tokens: ByteSize = "4MiB",
        /// Users and devices with their rights.
        profiles: ByteSize = "8MiB",
        /// Sessions that are known to live.
        sessions: ByteSize = "2MiB",
        /// First uses of PosStar's tokens.
        first_uses: ByteSize = "2MiB",
        /// Keys of programs.
        api_keys: ByteSize = "2MiB",
        /// What has ended or changed.
        revocations: ByteSize = "4MiB",
        /// Refresh tokens that were rotated of late, and uses of sessions that are not written yet.
        activity: ByteSize = "8MiB",
        /// Denied requests that are counted until they are recorded in the audit.
        denials: ByteSize = "4MiB",
        /// Addresses whose requests are counted, for each contract that counts them.
        addresses: ByteSize = "4MiB",
        /// Lists of terminals that Fiuu's contract shares for a second, for each of its mounts.
        terminals: ByteSize = "2MiB",
        /// Pages of SQLite's file, in all connections together. PostgreSQL has a cache of its own.
        pages: ByteSize = "4MiB",
    }
    /// The server's keys.
    keys: Keys {
        /// The master key: 32 bytes in base64. Without it, the file `master.key` in the data folder.
        master: Option<Secret<String>> = "" secret,
        /// How long a new key is published before it is used.
        lead: Duration = "1d",
        /// How access tokens are signed: `EdDSA` or `ES256`.
        algorithm: Algorithm = "EdDSA",
    }
    /// Tokens.
    tokens: Tokens {
        /// The issuer in access tokens and in the metadata for OAuth's clients: a URL, by which strict ones find the server, or another
        /// URI; empty: `urn:uuid:` and the instance's id.
        issuer: Option<String> = "",
    }
    /// The terms of sessions of the native API.
    sessions: Sessions {
        /// How long an access token is good, 24 h at most.
        access: Duration = "15m",
        /// How long after its last refresh a session lives.
        idle: Duration = "30d",
        /// How long after its login a session lives.
        absolute: Duration = "90d",
        /// How long after a rotation the refresh token before it is still answered with the same successor.
        overlap: Duration = "120s",
        /// How long a session that is over stays in lists.
        keep: Duration = "30d",
    }
    /// The terms of PORTOS sessions.
    portos: Portos {
        /// How long an access token is good, 24 h at most.
        access: Duration = "15m",
        /// How long after its last refresh a session lives.
        idle: Duration = "12h",
        /// How long after a rotation the refresh token before it is still answered with the same successor.
        overlap: Duration = "300s",
        /// Whether refresh tokens rotate; `false` for clients that keep their first.
        rotation: bool = "true",
    }
    /// POS Kasir: the terms of its sessions, and what it holds with browsers.
    kasir: Kasir {
        /// How long an access token and its cookie are good, 15 to 60 minutes.
        access: Duration = "1h",
        /// How long after its last refresh a session lives, 7 to 30 days.
        idle: Duration = "7d",
        /// How long after a rotation the refresh token before it is still answered with the same successor.
        overlap: Duration = "120s",
        /// Web front ends on other origins, such as `https://pos.example`: their scripts may call with their users' cookies.
        origins: Vec<WebOrigin> = "",
        /// Whether cookies go back over TLS alone: `auto` (where the client came by https), `on` or `off`.
        secure: SecurePolicy = "auto",
        /// Whether cookies go along with calls from other sites: `lax`, `strict`, `none`, or `auto`: `none` where there are origins
        /// and the cookie is secure, else `lax`.
        same_site: SameSite = "auto",
        /// Requests of one address in a minute; the next is answered 429.
        per_minute: u32 = "100",
    }
    /// Fiuu POS: sessions end at the next midnight of the tenant's zone.
    fiuu: Fiuu {
        /// How long an access token is good, where midnight does not come first.
        access: Duration = "15m",
        /// How long after a rotation the refresh token before it is still answered with the same successor.
        overlap: Duration = "120s",
        /// Whether refresh tokens rotate; `false` for clients that keep their first.
        rotation: bool = "true",
        /// Requests of one address in a minute; the next is answered 429.
        per_minute: u32 = "100",
    }
    /// PosStar: the terms of its sessions, and what anybody may ask of it.
    posstar: PosStar {
        /// How long a token is good; a live one is exchanged for the next.
        access: Duration = "24h",
        /// How long after its login a session lives, however often its token is exchanged; empty: for ever.
        absolute: Option<Duration> = "90d",
        /// How long an exchanged token stays good after the first use of its successor.
        overlap: Duration = "300s",
        /// Registrations and resets of one address in a minute; the next is answered 429.
        per_minute: u32 = "20",
    }
    /// Mail to those who have forgotten their password.
    mail: Mail {
        /// The host of the mail server; empty: mails are put into the folder `spool` of the data folder.
        host: Option<String> = "",
        /// Its port; empty: 587 for `starttls`, 465 for `tls`, 25 for `off`.
        port: Option<u32> = "",
        /// `starttls`, `tls` from the first byte, or `off`.
        tls: MailTls = "starttls",
        /// Who logs in there; empty: nobody.
        user: Option<String> = "",
        /// The password of that.
        password: Option<Secret<String>> = "" secret,
        /// Who the mails are from.
        from: String = "tillgate@localhost",
        /// The link in a mail, such as `https://pos.example/reset?token={token}`: the app behind it sends the token back with another
        /// password. Empty: the mail bears the token alone.
        reset_link: Option<String> = "",
    }
    /// The native API.
    native: Native {
        /// The path that it is mounted at.
        prefix: String = "/api/v1",
    }
    /// What other systems ask: introspection and revocation of tokens (docs/oauth.md).
    oauth: OAuth {
        /// The path that it is mounted at.
        prefix: String = "/oauth",
    }
    /// The audit.
    audit: Audit {
        /// The file that keeps the newest seal of the audit outside the database, relative to the data folder; empty: `audit.seal`.
        seal: Option<PathBuf> = "",
    }
    /// Passwords: the cost of Argon2id, and which may be set.
    passwords: Passwords {
        /// Memory per hash.
        memory: ByteSize = "19MiB",
        /// Passes per hash.
        passes: u32 = "2",
        /// Hashes at a time; 0: one per core.
        workers: u32 = "0",
        /// Logins that may wait for a hash, two thirds of `limits.threads` at most; the next is answered 503. Half of them may come from
        /// networks where their account has not logged in before.
        waiting: u32 = "128",
        /// A file of passwords that nobody may choose, one a line in UTF-8, 64 MiB at most; empty: the built-in list alone. The server
        /// keeps eight bytes for each.
        list: Option<PathBuf> = "",
    }
    /// What holds back those who guess passwords.
    throttle: Throttle {
        /// Wrong passwords that a client has free for an account if it shows a refresh token of an earlier session; then one in 5 s.
        free: u32 = "5",
        /// Wrong passwords that a network (/24 of IPv4, /48 of IPv6) has free for each account that has logged in there before, and for
        /// all others together; then one a minute each.
        address_free: u32 = "50",
        /// Wrong passwords that an account has free from all networks together where it has not logged in before; then one in 16 minutes.
        unknown_free: u32 = "10",
        /// How long a network stays known after a success there.
        known: Duration = "90d",
    }
    /// How endings reach this process.
    revocation: Revocation {
        /// How old the view of what has ended may be; past it, 503.
        max_age: Duration = "60s",
    }
    /// What a request may cost.
    limits: Limits {
        /// The largest body. One that carries a ticket may have 2MiB in any case: what is shown of a ticket fits into it.
        body: ByteSize = "256KiB",
        /// How long the head of a request may take to arrive; then 408.
        head: Duration = "5s",
        /// How long a request may take before it is answered 503.
        request: Duration = "5s",
        /// How long an idle connection is kept.
        keep_alive: Duration = "75s",
        /// How long a client may take nothing of an answer before its connection is closed.
        write: Duration = "30s",
        /// Threads in all that wait for the database or for a hash on behalf of requests.
        threads: u32 = "192",
        /// Requests that may wait for one of these, per thread that serves requests; the next is answered 503 at once, or instead of it one of
        /// a network (/24 of IPv4, /48 of IPv6) that has more of them waiting.
        waiting: u32 = "128",
        /// Connections at a time, per thread.
        connections: u32 = "10000",
        /// Connections at a time of one network (an IPv4 address, a /64 of IPv6); the next is closed at once. Trusted proxies and this
        /// machine itself are not counted.
        per_network: u32 = "1024",
    }
    /// Health and metrics.
    operations: Operations {
        /// A listener of their own for `/healthz`, `/readyz`, `/metrics`, `/openapi.json` and `/docs`. Empty: `127.0.0.1:8081` if the server
        /// listens beyond loopback or behind a proxy, otherwise none. `/metrics` is served there alone, if there is one.
        listen: Option<SocketAddr> = "",
        /// Whether the server's own listener serves `/openapi.json` and `/docs` too.
        docs: bool = "true",
    }
    /// The log on standard error.
    log: Log {
        /// `text` or `json`.
        format: LogFormat = "text",
        /// What is logged, as tracing's directives: `info`, `warn,tillgate_http=debug`.
        level: String = "info",
        /// Lines that may wait to be written; what comes then is left out.
        waiting: u32 = "8192",
        /// Where traces go: an OTLP collector over plain HTTP, such as `http://127.0.0.1:4318`; needs a build with `otlp`.
        traces: Option<String> = "",
    }
}

/// Every key, as `section.key`.
pub fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.path)
}

fn read_value<T: Setting>(layers: &Layers, key: &'static str, default: &str) -> Result<T, ConfigError> {
    let fault = |source: &Source, why| ConfigError::Value { source: source.clone(), key: key.to_owned(), why };
    match layers.find(key) {
        Some((value, source)) => T::read(value).map_err(|why| fault(source, why)),
        None => T::read(&Value::String(default.to_owned())).map_err(|why| fault(&Source::Default, why)),
    }
}
