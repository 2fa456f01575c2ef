//! Parsers for the values of settings: from the text of a variable, flag or default, or from a TOML
//! value of the matching type.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use tillgate_domain::Secret;
use tillgate_http::{SameSite, SecurePolicy, WebOrigin};
use toml::Value;

/// A type of settings. For `Option`, the empty text means "not set".
pub(crate) trait Setting: Sized {
    /// Parses a value; the error says what it must be.
    fn read(value: &Value) -> Result<Self, String>;

    /// Whether a configuration file gives the values as a list. Variables and flags separate them
    /// by commas.
    const IS_LIST: bool = false;
}

fn trimmed_text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim)
}

fn parse_as<T: std::str::FromStr>(value: &Value, must: &str) -> Result<T, String> {
    trimmed_text(value).and_then(|text| text.parse().ok()).ok_or_else(|| must.to_owned())
}

impl<T: Setting> Setting for Option<T> {
    fn read(value: &Value) -> Result<Self, String> {
        if trimmed_text(value) == Some("") { Ok(None) } else { T::read(value).map(Some) }
    }
}

impl Setting for String {
    fn read(value: &Value) -> Result<Self, String> {
        trimmed_text(value).map(str::to_owned).ok_or_else(|| "must be a string".to_owned())
    }
}

impl Setting for Secret<String> {
    fn read(value: &Value) -> Result<Self, String> {
        String::read(value).map(Self::new)
    }
}

impl Setting for PathBuf {
    fn read(value: &Value) -> Result<Self, String> {
        match trimmed_text(value) {
            Some(path) if !path.is_empty() => Ok(Self::from(path)),
            _ => Err("must be a path".to_owned()),
        }
    }
}

impl Setting for SocketAddr {
    fn read(value: &Value) -> Result<Self, String> {
        parse_as(value, "must be an address with a port, such as 127.0.0.1:8080 or [::1]:8080")
    }
}

impl Setting for bool {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Boolean(value) => Ok(*value),
            other => parse_as(other, "must be true or false"),
        }
    }
}

impl Setting for u32 {
    fn read(value: &Value) -> Result<Self, String> {
        let number = match value {
            Value::Integer(number) => Self::try_from(*number).ok(),
            other => trimmed_text(other).and_then(|text| text.parse().ok()),
        };
        number.ok_or_else(|| format!("must be a whole number from 0 to {}", Self::MAX))
    }
}

impl Setting for Vec<IpNet> {
    const IS_LIST: bool = true;

    fn read(value: &Value) -> Result<Self, String> {
        let must = || {
            "must be networks such as [\"10.0.0.0/8\", \"fd00::/8\"]; separate them by commas in a variable".to_owned()
        };
        let net = |text: &str| {
            let text = text.trim();
            let net = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
            match net {
                Ok(net) if net == net.trunc() => Ok(net),
                Ok(net) => Err(format!(
                    "contains {net}, which is no network: write {} for the whole network, or {} for the one address",
                    net.trunc(),
                    net.addr()
                )),
                Err(_) => Err(must()),
            }
        };
        match value {
            Value::Array(values) => values.iter().map(|each| each.as_str().ok_or_else(must).and_then(net)).collect(),
            Value::String(text) => text.split(',').filter(|part| !part.trim().is_empty()).map(net).collect(),
            _ => Err(must()),
        }
    }
}

impl Setting for Vec<WebOrigin> {
    const IS_LIST: bool = true;

    fn read(value: &Value) -> Result<Self, String> {
        let must = || {
            "must be web origins such as [\"https://pos.example\", \"http://localhost:3000\"]; separate them by \
             commas in a variable"
                .to_owned()
        };
        let origin = |text: &str| text.trim().parse().map_err(|_| must());
        match value {
            Value::Array(values) => values.iter().map(|each| each.as_str().ok_or_else(must).and_then(origin)).collect(),
            Value::String(text) => text.split(',').filter(|part| !part.trim().is_empty()).map(origin).collect(),
            _ => Err(must()),
        }
    }
}

/// The address at which people reach the server, such as `https://pos.example`: a web origin whose
/// connections are encrypted, or stay on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl(WebOrigin);

impl PublicUrl {
    /// The address without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Setting for PublicUrl {
    fn read(value: &Value) -> Result<Self, String> {
        let origin: WebOrigin = parse_as(
            value,
            "must be the address of the server without a path, query or fragment, such as https://pos.example",
        )?;
        if origin.is_protected() {
            Ok(Self(origin))
        } else {
            Err("must begin with https://; http:// is possible for this machine only, such as http://localhost:8080"
                .to_owned())
        }
    }
}

impl Setting for SecurePolicy {
    fn read(value: &Value) -> Result<Self, String> {
        match trimmed_text(value) {
            Some("auto") => Ok(Self::Auto),
            Some("on") => Ok(Self::On),
            Some("off") => Ok(Self::Off),
            _ => Err("must be auto, on or off".to_owned()),
        }
    }
}

impl Setting for SameSite {
    fn read(value: &Value) -> Result<Self, String> {
        match trimmed_text(value) {
            Some("auto") => Ok(Self::Auto),
            Some("strict") => Ok(Self::Strict),
            Some("lax") => Ok(Self::Lax),
            Some("none") => Ok(Self::None),
            _ => Err("must be auto, strict, lax or none".to_owned()),
        }
    }
}

impl Setting for Duration {
    fn read(value: &Value) -> Result<Self, String> {
        trimmed_text(value)
            .and_then(parse_span)
            .ok_or_else(|| "must be a duration such as \"250ms\", \"120s\", \"15m\", \"12h\" or \"30d\"".to_owned())
    }
}

/// Parses a duration: a whole number and a unit (`ms`, `s`, `m`, `h` or `d`). A number without a
/// unit is invalid, because its meaning would be a guess.
pub fn parse_span(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit_at)?;
    let number: u64 = number.parse().ok()?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(60 * 60),
        "d" => seconds(24 * 60 * 60),
        _ => None,
    }
}

/// A size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteSize(pub(crate) u64);

impl Setting for ByteSize {
    fn read(value: &Value) -> Result<Self, String> {
        let read = |text: &str| {
            let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
            let (number, unit) = text.split_at_checked(unit_at)?;
            let each = match unit.trim() {
                "B" => 1,
                "KiB" => 1 << 10,
                "MiB" => 1 << 20,
                _ => return None,
            };
            number.parse::<u64>().ok()?.checked_mul(each).map(Self)
        };
        trimmed_text(value).and_then(read).ok_or_else(|| "must be a size such as \"64KiB\" or \"19MiB\"".to_owned())
    }
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$each])* $variant),* }

        impl Setting for $name {
            fn read(value: &Value) -> Result<Self, String> {
                match trimmed_text(value) {
                    $(Some($word) => Ok(Self::$variant),)*
                    _ => Err(concat!("must be one of", $(" ", $word),*).to_owned()),
                }
            }
        }
    )*};
}

choices! {
    /// The signature algorithm of access tokens.
    Algorithm {
        /// Ed25519 (RFC 8037).
        EdDsa = "EdDSA",
        /// ECDSA on P-256 with SHA-256 (RFC 7518, 3.4).
        Es256 = "ES256",
    }
    /// The forwarding headers that are read.
    ForwardingHeaders {
        /// The headers `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.
        XForwarded = "x-forwarded",
        /// The header `Forwarded` (RFC 7239).
        Forwarded = "forwarded",
    }
    /// How the connection to the mail server is encrypted.
    MailTls {
        /// STARTTLS is required; without it, no mail is sent.
        StartTls = "starttls",
        /// TLS from the first byte.
        Tls = "tls",
        /// The connection is not encrypted.
        Off = "off",
    }
    /// The format of log lines.
    LogFormat {
        /// Text for people.
        Text = "text",
        /// A JSON object per line.
        Json = "json",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Setting>(text: &str) -> Result<T, String> {
        T::read(&Value::String(text.to_owned()))
    }

    #[test]
    fn span_is_a_number_and_a_unit() {
        for (text, seconds) in [("120s", 120), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("0s", 0)] {
            assert_eq!(read::<Duration>(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(read::<Duration>("250ms"), Ok(Duration::from_millis(250)));
        for bad in
            ["", "90", "s", "1.5h", "-1s", "1w", "1 s", "1h30m", "99999999999999999999s", "18446744073709551615d", "١s"]
        {
            assert!(read::<Duration>(bad).is_err(), "{bad}");
        }
        assert!(Duration::read(&Value::Integer(90)).is_err(), "a bare number has no unit");
    }

    #[test]
    fn networks_are_a_list_or_comma_separated() {
        let list = Value::Array(vec![Value::String("10.0.0.0/8".into()), Value::String("::1".into())]);
        assert_eq!(Vec::<IpNet>::read(&list), read("10.0.0.0/8, ::1"));
        assert_eq!(read::<Vec<IpNet>>(""), Ok(Vec::new()));
        assert!(read::<Vec<IpNet>>("10.0.0.0/33").is_err());
        let inside = read::<Vec<IpNet>>("10.0.0.1/8").unwrap_err();
        assert!(inside.contains("write 10.0.0.0/8 ") && inside.contains("or 10.0.0.1 "), "{inside}");
    }

    #[test]
    fn origins_are_a_list_or_comma_separated() {
        let list =
            Value::Array(vec![Value::String("https://a.example".into()), Value::String("http://b:3000/".into())]);
        assert_eq!(Vec::<WebOrigin>::read(&list), read("https://a.example:443, http://b:3000"));
        assert_eq!(read::<Vec<WebOrigin>>(""), Ok(Vec::new()));
        for bad in ["*", "a.example", "https://a.example/app"] {
            assert!(read::<Vec<WebOrigin>>(bad).is_err(), "{bad}");
        }
        assert_eq!((read("off"), read("none")), (Ok(SecurePolicy::Off), Ok(SameSite::None)));
        assert!(read::<SecurePolicy>("true").is_err());
    }

    #[test]
    fn public_url_is_an_encrypted_or_local_origin() {
        for (text, url) in [
            ("https://pos.example", "https://pos.example"),
            ("https://pos.example:8443/", "https://pos.example:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://localhost", "http://localhost"),
        ] {
            assert_eq!(read::<PublicUrl>(text).as_ref().map(PublicUrl::as_str), Ok(url));
        }
        assert_eq!(read::<Option<PublicUrl>>(""), Ok(None));
        for bad in
            ["pos.example", "https://pos.example/till", "https://pos.example?a", "https://pos.example/#a", "ftp://a"]
        {
            assert!(read::<PublicUrl>(bad).unwrap_err().contains("without a path"), "{bad}");
        }
        for bad in ["http://pos.example", "http://192.0.2.1", "http://localhost.example"] {
            assert!(read::<PublicUrl>(bad).unwrap_err().contains("https://"), "{bad}");
        }
    }

    #[test]
    fn numbers_sizes_and_choices_are_parsed() {
        assert_eq!(read::<u32>("7"), Ok(7));
        assert_eq!(u32::read(&Value::Integer(7)), Ok(7));
        assert!(u32::read(&Value::Integer(-1)).is_err());
        assert_eq!(read::<ByteSize>("19MiB"), Ok(ByteSize(19 << 20)));
        assert!(read::<ByteSize>("19").is_err());
        assert!(read::<ByteSize>("19999999999999999MiB").is_err());
        assert_eq!(read::<Algorithm>("ES256"), Ok(Algorithm::Es256));
        assert_eq!(read::<Algorithm>("RS256"), Err("must be one of EdDSA ES256".into()));
        assert_eq!(read::<Option<SocketAddr>>(""), Ok(None));
        assert!(read::<SocketAddr>("localhost").is_err());
        assert_eq!(bool::read(&Value::Boolean(true)), read("true"));
    }
}
