//! Checks that settings fit together, and bounds that a type alone cannot express.

use std::time::Duration;

use tillgate_http::{Mount, SameSite, SecurePolicy};

use super::ConfigError;
use super::table::{Mail, Settings};
use super::value::MailTls;

const DAY: Duration = Duration::from_hours(24);

/// Checks all settings. The error names the settings concerned and the reason.
pub(super) fn check_settings(settings: &Settings) -> Result<(), ConfigError> {
    let Settings {
        server,
        office,
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
    check_token_terms(settings)?;
    for (name, idle) in [("idle", office.idle), ("read_only_idle", office.read_only_idle)] {
        require(idle >= Duration::from_secs(2) && idle <= office.absolute, || {
            format!("office.{name} must be between 2s and office.absolute")
        })?;
    }
    require(office.max_proof_age >= Duration::from_secs(1), || "office.max_proof_age must be at least 1s".to_owned())?;
    require(office.absolute <= DAY, || "office.absolute must be at most 24h".to_owned())?;
    require(portos.idle >= portos.access, || "portos.idle must not be shorter than portos.access".to_owned())?;
    require((Duration::from_mins(15)..=Duration::from_hours(1)).contains(&kasir.access), || {
        "kasir.access must be between 15m and 60m".to_owned()
    })?;
    require((7 * DAY..=30 * DAY).contains(&kasir.idle), || "kasir.idle must be between 7d and 30d".to_owned())?;
    require(kasir.per_minute >= 1, || "kasir.per_minute must be at least 1".to_owned())?;
    require((Duration::from_secs(1)..=DAY).contains(&posstar.access), || {
        "posstar.access must be between 1s and 24h".to_owned()
    })?;
    require(posstar.absolute.is_none_or(|absolute| absolute >= posstar.access), || {
        "posstar.absolute must not be shorter than posstar.access".to_owned()
    })?;
    require(posstar.overlap < posstar.access, || {
        "posstar.overlap must be shorter than posstar.access, after which an exchanged token expires anyway".to_owned()
    })?;
    require(posstar.per_minute >= 1, || "posstar.per_minute must be at least 1".to_owned())?;
    check_mail(mail)?;
    require(fiuu.per_minute >= 1, || "fiuu.per_minute must be at least 1".to_owned())?;
    require(!(kasir.same_site == SameSite::None && kasir.secure == SecurePolicy::Off), || {
        "kasir.same_site = \"none\" requires secure cookies, but kasir.secure = \"off\": browsers reject such cookies"
            .to_owned()
    })?;
    require(server.tls_cert.is_some() == server.tls_key.is_some(), || {
        "set both server.tls_cert and server.tls_key for TLS, or neither".to_owned()
    })?;
    require(server.tls_reload >= Duration::from_secs(1), || "server.tls_reload must be at least 1s".to_owned())?;
    require(!native.prefix.is_empty() && Mount::is_prefix(&native.prefix), || {
        "native.prefix must be a path such as /api/v1".to_owned()
    })?;
    require(!oauth.prefix.is_empty() && Mount::is_prefix(&oauth.prefix), || {
        "oauth.prefix must be a path such as /oauth".to_owned()
    })?;
    require(tokens.issuer.as_deref().is_none_or(is_issuer), || {
        "tokens.issuer must be a URL without a query, such as https://auth.example.com, or another URI such as \
         urn:example:auth"
            .to_owned()
    })?;
    require((8 << 20..=1 << 30).contains(&passwords.memory.0), || {
        "passwords.memory must be between 8MiB and 1024MiB: less makes passwords easier to guess, more exhausts the \
         memory"
            .to_owned()
    })?;
    require((1..=100).contains(&passwords.passes), || "passwords.passes must be between 1 and 100".to_owned())?;
    require(revocation.max_age >= Duration::from_secs(1), || {
        "revocation.max_age must be at least 1s: the revocation data would often be too old otherwise".to_owned()
    })?;
    require(database.connections >= 1, || "database.connections must be at least 1".to_owned())?;
    require(database.waiting >= 1, || "database.waiting must be at least 1".to_owned())?;
    require(limits.write >= Duration::from_secs(1), || "limits.write must be at least 1s".to_owned())?;
    require((1..=10_000).contains(&limits.threads), || "limits.threads must be between 1 and 10000".to_owned())?;
    require(limits.connections >= 1, || "limits.connections must be at least 1".to_owned())?;
    require(limits.per_network >= 1, || "limits.per_network must be at least 1".to_owned())?;
    require(limits.body.0 >= 1 << 10, || "limits.body must be at least 1KiB".to_owned())?;
    let bursts =
        [("free", throttle.free), ("address_free", throttle.address_free), ("unknown_free", throttle.unknown_free)];
    for (name, burst) in bursts {
        require((1..=100_000).contains(&burst), || format!("throttle.{name} must be between 1 and 100000"))?;
    }
    check_memory_limits(settings)
}

/// Checks the terms of access tokens, and of native and till sessions.
fn check_token_terms(settings: &Settings) -> Result<(), ConfigError> {
    let Settings { sessions, till, portos, kasir, fiuu, .. } = settings;
    let terms = [
        ("sessions", sessions.access, sessions.overlap),
        ("till", till.access, till.overlap),
        ("portos", portos.access, portos.overlap),
        ("kasir", kasir.access, kasir.overlap),
        ("fiuu", fiuu.access, fiuu.overlap),
    ];
    for (name, access, overlap) in terms {
        require(access <= DAY, || format!("{name}.access must be at most 24h"))?;
        require(access >= Duration::from_secs(1), || format!("{name}.access must be at least 1s"))?;
        require(overlap < access, || format!("{name}.overlap must be shorter than {name}.access"))?;
    }
    require(sessions.idle >= sessions.access, || "sessions.idle must not be shorter than sessions.access".to_owned())?;
    require(sessions.absolute >= sessions.idle, || {
        "sessions.absolute must not be shorter than sessions.idle".to_owned()
    })?;
    require(till.idle >= till.access, || "till.idle must not be shorter than till.access".to_owned())?;
    require(till.software_absolute >= till.idle, || {
        "till.software_absolute must not be shorter than till.idle".to_owned()
    })?;
    require((Duration::from_secs(1)..=DAY).contains(&till.operator_access), || {
        "till.operator_access must be between 1s and 24h".to_owned()
    })?;
    require(till.operator_idle >= till.operator_access, || {
        "till.operator_idle must not be shorter than till.operator_access".to_owned()
    })?;
    require(till.operator_absolute >= till.operator_idle, || {
        "till.operator_absolute must not be shorter than till.operator_idle".to_owned()
    })
}

/// Checks the settings that bound the server's memory.
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
        ("proofs", caches.proofs),
        ("addresses", caches.addresses),
        ("terminals", caches.terminals),
        ("pages", caches.pages),
    ];
    for (name, size) in sizes {
        require(size.0 >= 64 << 10, || format!("caches.{name} must be at least 64KiB"))?;
    }
    Ok(())
}

/// Whether a text is a valid issuer: a URI (RFC 7519, 2) and, if it is a URL, one without query and
/// fragment (RFC 8414, 2).
fn is_issuer(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    let has_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let complete = match scheme {
        "https" | "http" => {
            let rest = rest.strip_prefix("//").unwrap_or_default();
            !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['?', '#', '@'])
        }
        _ => !rest.is_empty(),
    };
    plain && has_scheme && complete
}

fn check_mail(mail: &Mail) -> Result<(), ConfigError> {
    require(mail.from.parse::<lettre::message::Mailbox>().is_ok(), || {
        "mail.from must be an e-mail address".to_owned()
    })?;
    require(mail.user.is_some() == mail.password.is_some(), || {
        "set both mail.user and mail.password, or neither".to_owned()
    })?;
    require(mail.port.is_none_or(|port| (1..=65_535).contains(&port)), || {
        "mail.port must be between 1 and 65535".to_owned()
    })?;
    let is_local = mail.host.as_ref().is_none_or(|host| matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1"));
    require(mail.tls != MailTls::Off || mail.user.is_none() || is_local, || {
        "mail.tls = \"off\" with mail.user would send the password unencrypted: use starttls or tls".to_owned()
    })?;
    let is_link = |link: &String| {
        (link.starts_with("https://") || link.starts_with("http://"))
            && link.contains("{token}")
            && !link.contains(char::is_whitespace)
    };
    require(mail.reset_link.as_ref().is_none_or(is_link), || {
        "mail.reset_link must be a link that contains {token}, such as https://pos.example/reset?token={token}"
            .to_owned()
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
        for valid in
            ["https://auth.example.com", "http://127.0.0.1:8080/till", "urn:uuid:1", "https://a/", "tag:a,2026:b"]
        {
            assert!(is_issuer(valid), "{valid}");
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
