//! Settings that have to go together, and bounds that no single type says.

use std::time::Duration;

use tillgate_http::{SameSite, SecurePolicy};

use super::table::{Mail, Settings};
use super::value::MailTls;
use super::{ConfigError, mounts};

const DAY: Duration = Duration::from_hours(24);

/// Refuses settings that contradict each other, in a sentence that says which and why.
pub(super) fn check_settings(settings: &Settings) -> Result<(), ConfigError> {
    let Settings {
        server,
        sessions,
        portos,
        kasir,
        fiuu,
        posstar,
        mail,
        native,
        oauth,
        tokens,
        passwords,
        revocation,
        database,
        limits,
        throttle,
        ..
    } = settings;
    let terms = [
        ("sessions", sessions.access, sessions.overlap),
        ("portos", portos.access, portos.overlap),
        ("kasir", kasir.access, kasir.overlap),
        ("fiuu", fiuu.access, fiuu.overlap),
    ];
    for (name, access, overlap) in terms {
        require(access <= DAY, || format!("{name}.access is over 24h, which no access token may live"))?;
        require(access >= Duration::from_secs(1), || format!("{name}.access is under a second"))?;
        require(overlap < access, || {
            format!(
                "{name}.overlap must be shorter than {name}.access: a repeated refresh token outlives no access token"
            )
        })?;
    }
    require(sessions.idle >= sessions.access, || "sessions.idle is shorter than sessions.access".to_owned())?;
    require(sessions.absolute >= sessions.idle, || "sessions.absolute is shorter than sessions.idle".to_owned())?;
    require(portos.idle >= portos.access, || "portos.idle is shorter than portos.access".to_owned())?;
    require((Duration::from_mins(15)..=Duration::from_hours(1)).contains(&kasir.access), || {
        "kasir.access must lie between 15m and 60m".to_owned()
    })?;
    require((7 * DAY..=30 * DAY).contains(&kasir.idle), || "kasir.idle must lie between 7d and 30d".to_owned())?;
    require(kasir.per_minute >= 1, || "kasir.per_minute must be at least 1".to_owned())?;
    require((Duration::from_secs(1)..=DAY).contains(&posstar.access), || {
        "posstar.access must lie between 1s and 24h".to_owned()
    })?;
    require(posstar.absolute.is_none_or(|absolute| absolute >= posstar.access), || {
        "posstar.absolute is shorter than posstar.access".to_owned()
    })?;
    require(posstar.overlap < posstar.access, || {
        "posstar.overlap must be shorter than posstar.access, after which an exchanged token has expired".to_owned()
    })?;
    require(posstar.per_minute >= 1, || "posstar.per_minute must be at least 1".to_owned())?;
    check_mail(mail)?;
    require(fiuu.per_minute >= 1, || "fiuu.per_minute must be at least 1".to_owned())?;
    require(!(kasir.same_site == SameSite::None && kasir.secure == SecurePolicy::Off), || {
        "kasir.same_site = \"none\" with kasir.secure = \"off\": no browser keeps such a cookie".to_owned()
    })?;
    require(server.tls_cert.is_some() == server.tls_key.is_some(), || {
        "server.tls_cert and server.tls_key belong together: set both for TLS, or neither".to_owned()
    })?;
    require(server.tls_reload >= Duration::from_secs(1), || "server.tls_reload must be at least 1s".to_owned())?;
    require(!native.prefix.is_empty() && mounts::is_prefix(&native.prefix), || {
        "native.prefix must be a path such as /api/v1".to_owned()
    })?;
    require(!oauth.prefix.is_empty() && mounts::is_prefix(&oauth.prefix), || {
        "oauth.prefix must be a path such as /oauth".to_owned()
    })?;
    require(tokens.issuer.as_deref().is_none_or(is_issuer), || {
        "tokens.issuer must be a URL without a query, such as https://auth.example.com, or another URI such as urn:example:auth"
            .to_owned()
    })?;
    require((8 << 20..=1 << 30).contains(&passwords.memory.0), || {
        "passwords.memory must lie between 8MiB and 1024MiB: less is soon guessed, more is soon exhausted".to_owned()
    })?;
    require((1..=100).contains(&passwords.passes), || "passwords.passes must lie between 1 and 100".to_owned())?;
    require(revocation.max_age >= Duration::from_secs(1), || {
        "revocation.max_age is under a second: the view would often be too old".to_owned()
    })?;
    require(database.connections >= 1, || "database.connections must be at least 1".to_owned())?;
    require(database.waiting >= 1, || "database.waiting must be at least 1".to_owned())?;
    require(limits.write >= Duration::from_secs(1), || "limits.write must be at least 1s".to_owned())?;
    require((1..=10_000).contains(&limits.threads), || "limits.threads must lie between 1 and 10000".to_owned())?;
    require(limits.connections >= 1, || "limits.connections must be at least 1".to_owned())?;
    require(limits.per_network >= 1, || "limits.per_network must be at least 1".to_owned())?;
    require(limits.body.0 >= 1 << 10, || "limits.body is under 1KiB".to_owned())?;
    let bursts =
        [("free", throttle.free), ("address_free", throttle.address_free), ("unknown_free", throttle.unknown_free)];
    for (name, burst) in bursts {
        require((1..=100_000).contains(&burst), || format!("throttle.{name} must lie between 1 and 100000"))?;
    }
    check_memory_limits(settings)
}

/// What bounds the memory of a server.
fn check_memory_limits(settings: &Settings) -> Result<(), ConfigError> {
    let Settings { caches, log, .. } = settings;
    require(log.waiting >= 1, || "log.waiting must be at least 1".to_owned())?;
    let sizes = [
        ("tokens", caches.tokens),
        ("profiles", caches.profiles),
        ("sessions", caches.sessions),
        ("first_uses", caches.first_uses),
        ("api_keys", caches.api_keys),
        ("revocations", caches.revocations),
        ("activity", caches.activity),
        ("denials", caches.denials),
        ("addresses", caches.addresses),
        ("terminals", caches.terminals),
        ("pages", caches.pages),
    ];
    for (name, size) in sizes {
        require(size.0 >= 64 << 10, || format!("caches.{name} must be at least 64KiB"))?;
    }
    Ok(())
}

/// Whether a text may stand as an issuer: a URI (RFC 7519, 2), and where it is a URL one without query and fragment (RFC 8414, 2).
fn is_issuer(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let whole = match scheme {
        "https" | "http" => {
            let rest = rest.strip_prefix("//").unwrap_or_default();
            !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['?', '#', '@'])
        }
        _ => !rest.is_empty(),
    };
    plain && named && whole
}

fn check_mail(mail: &Mail) -> Result<(), ConfigError> {
    require(mail.from.parse::<lettre::message::Mailbox>().is_ok(), || {
        "mail.from must be an e-mail address".to_owned()
    })?;
    require(mail.user.is_some() == mail.password.is_some(), || {
        "mail.user and mail.password belong together".to_owned()
    })?;
    require(mail.port.is_none_or(|port| (1..=65_535).contains(&port)), || {
        "mail.port must lie between 1 and 65535".to_owned()
    })?;
    let here = mail.host.as_ref().is_none_or(|host| matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1"));
    require(mail.tls != MailTls::Off || mail.user.is_none() || here, || {
        "mail.tls = \"off\" with mail.user: the password would cross the network for all to read".to_owned()
    })?;
    let good = |link: &String| {
        (link.starts_with("https://") || link.starts_with("http://"))
            && link.contains("{token}")
            && !link.contains(char::is_whitespace)
    };
    require(mail.reset_link.as_ref().is_none_or(good), || {
        "mail.reset_link must be a link with {token} in it, such as https://pos.example/reset?token={token}".to_owned()
    })
}

fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Contradiction(otherwise())) }
}

#[cfg(test)]
mod tests {
    use super::is_issuer;

    #[test]
    fn issuer_is_a_uri() {
        for good in
            ["https://auth.example.com", "http://127.0.0.1:8080/till", "urn:uuid:1", "https://a/", "tag:a,2026:b"]
        {
            assert!(is_issuer(good), "{good}");
        }
        for bad in [
            "auth.example.com",
            "https:",
            "https://",
            "https:///x",
            "https://a?b",
            "https://a#b",
            "https://u@a",
            "a b:c",
            ":x",
            "urn:",
        ] {
            assert!(!is_issuer(bad), "{bad}");
        }
    }
}
