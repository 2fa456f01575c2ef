//! The address of a database: `sqlite:PATH`, or a connection URI of PostgreSQL's libpq.

use std::fmt;
use std::path::{Path, PathBuf};

/// The address of a database. Its `Display` output contains no password.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// A SQLite file, by its absolute path.
    Sqlite(PathBuf),
    /// A connection URI of libpq (manual, section 34.1.1.2), possibly with several hosts.
    Postgres(String),
}

/// Why an address is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// It begins with neither scheme.
    #[error("the database's address must begin with sqlite: or postgres://")]
    Scheme,
    /// `sqlite:` without a path.
    #[error("`sqlite:` must be followed by the path of a file, as in sqlite:tillgate.db")]
    NoPath,
    /// An in-memory database, which would be lost with the process.
    #[error("sqlite::memory: is not supported, because the data would be lost when the server stops; use a file")]
    Memory,
    /// `sqlite://name`, in which the name looks like a host.
    #[error("write sqlite:PATH without slashes before a relative path, or sqlite:///PATH for an absolute one")]
    Slashes,
    /// SQLite cannot open the path.
    #[error("the path of the database must be valid UTF-8 without a NUL")]
    Path,
}

impl Address {
    /// Parses an address. A relative path of SQLite is resolved from `folder`.
    ///
    /// # Errors
    ///
    /// See [`InvalidAddress`].
    pub fn parse(text: &str, folder: &Path) -> Result<Self, InvalidAddress> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return if text.contains('\0') { Err(InvalidAddress::Path) } else { Ok(Self::Postgres(text.to_owned())) };
        }
        let path = text.strip_prefix("sqlite:").ok_or(InvalidAddress::Scheme)?;
        let path = match path.strip_prefix("//") {
            Some(rest) if rest.starts_with('/') => rest,
            Some(_) => return Err(InvalidAddress::Slashes),
            None => path,
        };
        if path.is_empty() {
            return Err(InvalidAddress::NoPath);
        }
        if path.starts_with(":memory:") {
            return Err(InvalidAddress::Memory);
        }
        let path = std::path::absolute(folder.join(path)).map_err(|_| InvalidAddress::NoPath)?;
        // two leading slashes may refer to another root (POSIX, 4.13), and look like a host in the
        // output
        let path: PathBuf = path.components().collect();
        match path.to_str() {
            Some(text) if !text.contains('\0') => Ok(Self::Sqlite(path)),
            _ => Err(InvalidAddress::Path),
        }
    }

    /// The address as a command accepts it, with `PASSWORD` in the place of a password. `None` if
    /// a password may be in another part of the address: in a parameter, or in one of several
    /// readings.
    pub fn to_argument(&self) -> Option<String> {
        let Self::Postgres(address) = self else { return Some(self.to_string()) };
        let shown = redact_password(address);
        let query = query_of(address);
        if shown.ends_with("...") || query.split('&').any(is_secret_parameter) {
            return None;
        }
        let mut argument = shown;
        let (_, rest) = address.split_once("://")?;
        if let Some((user, _)) = rest.split_once('@').and_then(|(before, _)| before.split_once(':')) {
            let user_end = address.len() - rest.len() + user.len();
            argument.insert_str(user_end, ":PASSWORD");
        }
        if !query.is_empty() {
            argument.push('?');
            argument.push_str(query);
        }
        Some(argument)
    }
}

/// The parameters of a connection URI.
fn query_of(address: &str) -> &str {
    address.split_once('?').map_or("", |(_, query)| query)
}

/// Whether a parameter is a password or another secret.
fn is_secret_parameter(pair: &str) -> bool {
    let key = decode_percent(pair.split('=').next().unwrap_or_default());
    key.ends_with("password") || key.ends_with("secret")
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(address) => f.write_str(&redact_password(address)),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Removes what is or may be a password: the part between the user and the host, and every
/// parameter.
///
/// libpq accepts any character except `@` and `/` in a password, including a question mark. If a
/// password contains one of those two, libpq parses it differently. Therefore, if several readings
/// are possible, only the part that precedes all of them is shown.
fn redact_password(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("postgres", ""));
    let until = |text: &str, ends: &[char]| text.split(ends).next().unwrap_or_default().to_owned();
    let user = until(rest, &[':', '@', '/', '?']);
    match rest.split_once('@') {
        None => format!("{scheme}://{}", until(rest, &['?'])),
        Some((before, after)) if !before.contains(['/', '?']) && !after.contains('@') => {
            format!("{scheme}://{user}@{}", until(after, &['?']))
        }
        Some(_) => format!("{scheme}://{user}..."),
    }
}

/// The message of libpq on one line. Quoted text that may be part of a password in the address is
/// replaced by dots, since libpq quotes the part of an address that it cannot parse.
pub(crate) fn redact_message(address: &str, message: &str) -> String {
    let message = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let (written, public) = (decode_percent(address), public_parts(address));
    let mut hidden = false;
    let parts = message.trim().split('"').enumerate().map(|(number, part)| {
        let may_be_quoted = number % 2 == 1 || written.contains('"');
        let is_secret = may_be_quoted
            && (address.contains(part) || written.contains(part))
            && !public.iter().any(|public| public.contains(part));
        hidden |= is_secret;
        if is_secret { "..." } else { part }
    });
    let mut redacted = parts.collect::<Vec<_>>().join("\"");
    if hidden {
        redacted.push_str(". In a password in the URL, write % as %25, / as %2F, : as %3A and @ as %40");
    }
    redacted
}

/// What a message may show of an address: what `redact_password` shows and, unless the address has
/// several readings, its parameters other than passwords; each as written and decoded.
fn public_parts(address: &str) -> Vec<String> {
    let shown = redact_password(address);
    let parameters = if shown.ends_with("...") { "" } else { query_of(address) };
    let parameters = parameters.split('&').filter(|pair| !is_secret_parameter(pair));
    let mut parts: Vec<String> = parameters.map(str::to_owned).chain([shown]).collect();
    parts.extend(parts.iter().map(|part| decode_percent(part)).collect::<Vec<_>>());
    parts
}

/// The text with every valid percent-encoding decoded.
fn decode_percent(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let byte = match after {
            [high, low, ..] if *first == b'%' => {
                std::str::from_utf8(&[*high, *low]).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok())
            }
            _ => None,
        };
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_of_libpq_shows_no_part_of_a_password() {
        for (address, message) in [
            ("postgres://till:ge%heim@a/shop", "invalid percent-encoded token: \"ge%heim\""),
            ("postgres://till:a/ge@heim%@a/shop", "invalid percent-encoded token: \"ge@heim%@a/shop\""),
            ("postgres://till:ge@heim@a/shop", "could not translate host name \"heim@a\" to address: unknown"),
            ("postgres://till:heim/x%40y@a", "invalid integer value \"heim\" for connection option \"port\""),
            ("postgres://till/ge@he%69m", "database \"ge@heim\" does not exist"),
            ("postgres://till:ge\"heim%@a/shop", "invalid percent-encoded token: \"ge\"heim%\""),
            ("postgres://a/shop?p%61ssword=heim%", "invalid percent-encoded token: \"heim%\""),
        ] {
            let shown = redact_message(address, message);
            assert!(!shown.contains("heim") && shown.contains("\"...\""), "{address}: {shown}");
            assert!(shown.ends_with("@ as %40"), "{shown}");
        }
    }

    #[test]
    fn message_of_libpq_keeps_the_rest_on_one_line() {
        let address = "postgres://till:ge%40heim@127.0.0.1:1/shop?sslmode=requir&sslrootcert=%2Fetc%2Fca.pem";
        for (message, shown) in [
            (
                "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server running?\n",
                "connection to server at \"127.0.0.1\", port 1 failed: Connection refused Is the server running?",
            ),
            ("invalid sslmode value: \"requir\"", "invalid sslmode value: \"requir\""),
            ("file \"/etc/ca.pem\" does not exist", "file \"/etc/ca.pem\" does not exist"),
            ("no entry for host \"10.0.0.5\", user \"till\"", "no entry for host \"10.0.0.5\", user \"till\""),
        ] {
            assert_eq!(redact_message(address, message), shown);
        }
    }

    fn parse(text: &str) -> Result<Address, InvalidAddress> {
        Address::parse(text, Path::new("/data"))
    }

    #[test]
    fn relative_path_is_resolved_against_data_folder() {
        assert_eq!(parse("sqlite:tillgate.db"), Ok(Address::Sqlite("/data/tillgate.db".into())));
        assert_eq!(parse("sqlite:/var/x.db"), Ok(Address::Sqlite("/var/x.db".into())));
        assert_eq!(parse("sqlite:///var/x.db"), Ok(Address::Sqlite("/var/x.db".into())));
        assert_eq!(parse("sqlite:////var/x.db").unwrap().to_string(), "sqlite:/var/x.db");
    }

    #[test]
    fn several_hosts_are_passed_to_libpq() {
        let address = "postgresql://till@a:5432,b:5433/shop?target_session_attrs=read-write";
        assert_eq!(parse(address), Ok(Address::Postgres(address.to_owned())));
    }

    #[test]
    fn invalid_addresses_are_refused() {
        assert_eq!(parse("mysql://x"), Err(InvalidAddress::Scheme));
        assert_eq!(parse("tillgate.db"), Err(InvalidAddress::Scheme));
        assert_eq!(parse("sqlite:"), Err(InvalidAddress::NoPath));
        assert_eq!(parse("sqlite::memory:"), Err(InvalidAddress::Memory));
        assert_eq!(parse("sqlite://tillgate.db"), Err(InvalidAddress::Slashes));
        assert_eq!(parse("sqlite:a\0b"), Err(InvalidAddress::Path));
    }

    #[test]
    fn argument_has_a_placeholder_for_the_password_alone() {
        for (address, argument) in [
            ("postgres://till:geheim@a,b:5433/shop", Some("postgres://till:PASSWORD@a,b:5433/shop")),
            (
                "postgres://till:geheim@a/shop?sslmode=verify-full&sslrootcert=%2Fca.pem",
                Some("postgres://till:PASSWORD@a/shop?sslmode=verify-full&sslrootcert=%2Fca.pem"),
            ),
            ("postgres://till@a/shop", Some("postgres://till@a/shop")),
            ("postgresql:///shop?host=/run/postgresql", Some("postgresql:///shop?host=/run/postgresql")),
            ("postgres://a:5432/shop", Some("postgres://a:5432/shop")),
            ("sqlite:/var/x.db", Some("sqlite:/var/x.db")),
            ("postgres://till@a/shop?p%61ssword=geheim", None),
            ("postgres://till@a/shop?sslpassword=geheim", None),
            ("postgres://till@a/shop?oauth_client_secret=geheim", None),
            ("postgres://till:ge@heim@a/shop", None),
            ("postgres://till:ge?heim@a/shop", None),
        ] {
            assert_eq!(parse(address).unwrap().to_argument().as_deref(), argument, "{address}");
        }
    }

    #[test]
    fn password_is_never_shown() {
        let address = parse("postgres://till:geheim@a,b/shop?password=geheim").unwrap();
        assert_eq!(format!("{address}"), "postgres://till@a,b/shop");
        assert!(!format!("{address:?}").contains("geheim"));
        for (address, shown) in [
            ("postgres://till:ge?heim@a/shop", "postgres://till..."),
            ("postgres://till:ge/heim@a/shop", "postgres://till..."),
            ("postgres://till:ge@heim@a/shop", "postgres://till..."),
            ("postgres://a/shop?password=ge@heim", "postgres://a..."),
            ("postgres://a/shop?password=geheim", "postgres://a/shop"),
            ("postgresql://till@a:5432,b:5433/shop?options=x", "postgresql://till@a:5432,b:5433/shop"),
        ] {
            assert_eq!(parse(address).unwrap().to_string(), shown, "{address}");
        }
    }
}
