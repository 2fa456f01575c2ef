//! Recognizes the errors of libpq about the address itself, which no waiting can mend: libpq finds
//! them before it contacts a server. Its messages are in English, because the program sets no
//! locale.

/// How these messages begin. Those about a server begin otherwise, as in `connection to server at
/// "a", port 5432 failed`, and so do those about files and services, which may appear later.
const BEGINNINGS: &[&str] = &[
    "invalid ",
    "missing key/value separator ",
    "extra key/value separator ",
    "forbidden value ",
    "unexpected character ",
    "unexpected spaces found ",
    "end of string reached when looking for ",
    "IPv6 host address may not be empty ",
    "could not match ",
    "weak sslmode ",
    "sslmode value ",
    "gssencmode value ",
    "sslcertmode value ",
    "require_auth method ",
    "negative require_auth method ",
    "channel binding required, but ",
];

/// How a message about a number begins that libpq reads only when it has chosen a server, before it
/// sends anything: `connection to server at "a", port 5432 failed: invalid integer value "soon" for
/// connection option "connect_timeout"`.
const NUMBER_BEGINNING: &str = "invalid integer value ";

/// What libpq says about the address, if its message is that it does not accept it.
pub(crate) fn find_address_error(message: &str) -> Option<&str> {
    if BEGINNINGS.iter().any(|beginning| message.starts_with(beginning)) {
        return Some(message);
    }
    let (_, why) = message.split_once(" failed: ")?;
    why.starts_with(NUMBER_BEGINNING).then_some(why)
}

#[cfg(test)]
mod tests {
    use crate::database::{Address, Database, Limits, OpenError};

    fn open(parameters: &str) -> OpenError {
        // nothing listens on the port 1
        let address = Address::Postgres(format!("postgres://till:geheim@127.0.0.1:1/shop?{parameters}"));
        Database::open(&address, &Limits::default()).map(drop).unwrap_err()
    }

    #[test]
    fn address_that_libpq_does_not_accept_is_no_outage() {
        for parameters in [
            "sslmode=verify-ful",
            "sslmod=require",
            "target_session_attrs=writable",
            "connect_timeout=soon",
            "keepalives_idle=soon",
            "gssencmode=maybe",
            "channel_binding=maybe",
            "load_balance_hosts=maybe",
            "application_name=%zz",
            "application_name",
            "application_name=a=b",
            "port=99999",
            "port=1,2,3",
        ] {
            let error = open(parameters);
            assert!(matches!(error, OpenError::Address { .. }), "{parameters}: {error}");
        }
        let port = Address::Postgres("postgres://127.0.0.1:post/shop".to_owned());
        let error = Database::open(&port, &Limits::default()).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::Address { .. }), "{error}");
    }

    #[test]
    fn server_that_cannot_be_reached_is_an_outage() {
        for parameters in ["", "sslmode=disable", "host=no.such.host.invalid"] {
            let error = open(parameters);
            assert!(matches!(error, OpenError::Unreachable { .. }), "{parameters}: {error}");
        }
    }
}
