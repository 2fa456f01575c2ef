//! The address of the database, from the settings.

use tillgate_persistence::Address;

use super::Settings;
use crate::suggestions::did_you_mean;

impl Settings {
    /// The address of the database: `database.url`, relative to the data folder.
    ///
    /// # Errors
    /// What is wrong with `database.url`, and what to do.
    pub(crate) fn database_address(&self) -> Result<Address, String> {
        let url = self.database.url.expose();
        let wants_tls =
            ["require", "verify-ca", "verify-full"].iter().any(|mode| url.contains(&format!("sslmode={mode}")));
        if wants_tls && !cfg!(feature = "postgres-tls") {
            let text = "database.url: sslmode requires TLS, but this program was built without the feature postgres-tls (see \
                        tillgate --version): use a build with it, or run cargo build --release --features postgres-tls";
            return Err(text.to_owned());
        }
        Address::parse(url, &self.server.data).map_err(|why| format!("database.url: {why}"))
    }
}

/// The parameters of an address, with the values of those that take one of a few words
/// (PostgreSQL 18, 32.1.2). They are only suggestions: libpq decides what it accepts.
const LIBPQ_PARAMETERS: &[(&str, &[&str])] = &[
    ("host", &[]),
    ("hostaddr", &[]),
    ("port", &[]),
    ("dbname", &[]),
    ("user", &[]),
    ("password", &[]),
    ("passfile", &[]),
    ("require_auth", &["password", "md5", "gss", "sspi", "scram-sha-256", "oauth", "none"]),
    ("channel_binding", &["disable", "prefer", "require"]),
    ("connect_timeout", &[]),
    ("client_encoding", &[]),
    ("options", &[]),
    ("application_name", &[]),
    ("fallback_application_name", &[]),
    ("keepalives", &[]),
    ("keepalives_idle", &[]),
    ("keepalives_interval", &[]),
    ("keepalives_count", &[]),
    ("tcp_user_timeout", &[]),
    ("gssencmode", &["disable", "prefer", "require"]),
    ("sslmode", &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
    ("sslnegotiation", &["postgres", "direct"]),
    ("sslcert", &[]),
    ("sslkey", &[]),
    ("sslcertmode", &["disable", "allow", "require"]),
    ("sslrootcert", &[]),
    ("sslcrl", &[]),
    ("sslcrldir", &[]),
    ("sslsni", &[]),
    ("ssl_min_protocol_version", &["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]),
    ("ssl_max_protocol_version", &["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]),
    ("service", &[]),
    ("target_session_attrs", &["any", "read-write", "read-only", "primary", "standby", "prefer-standby"]),
    ("load_balance_hosts", &["disable", "random"]),
];

/// The error about an address that libpq does not accept: its key, what libpq says, and a similar
/// parameter or value.
pub(crate) fn libpq_error_text(detail: &str) -> String {
    // the value or the name is the last quoted word: `invalid sslmode value: "verify-ful"`
    let mut quoted = detail.rsplit('"');
    let word = quoted.nth(1).unwrap_or_default();
    let near = if detail.starts_with("invalid URI query parameter") {
        did_you_mean(word, LIBPQ_PARAMETERS.iter().map(|(name, _)| *name))
    } else {
        let names_parameter = |name: &str| {
            [format!("invalid {name} value"), format!("invalid \"{name}\" value")]
                .iter()
                .any(|text| detail.starts_with(text))
        };
        let parameter = LIBPQ_PARAMETERS.iter().find(|(name, _)| names_parameter(name));
        parameter.map(|(_, values)| did_you_mean(word, values.iter().copied())).unwrap_or_default()
    };
    format!("database.url: {detail}{near}")
}

#[cfg(test)]
mod tests {
    use super::libpq_error_text;
    use crate::configuration::{Flags, load_settings};

    #[test]
    fn tls_without_its_feature_is_explained() {
        for (url, requires_tls) in [
            ("postgres://till@db.example/shop?sslmode=require", true),
            ("postgres://till@db.example/shop?sslmode=verify-full", true),
            ("postgres://till@db.example/shop?sslmode=prefer", false),
        ] {
            let flags = Flags { database: Some(url.to_owned()), ..Flags::default() };
            let address = load_settings(&flags, &[]).unwrap().database_address();
            match address {
                Ok(_) => assert!(!requires_tls || cfg!(feature = "postgres-tls"), "{url}"),
                Err(error) => assert!(requires_tls && error.contains("--features postgres-tls"), "{error}"),
            }
        }
    }

    #[test]
    fn error_of_libpq_suggests_a_similar_word() {
        for (detail, near) in [
            ("invalid sslmode value: \"verify-ful\"", "; did you mean \"verify-full\"?"),
            ("invalid \"ssl_min_protocol_version\" value: \"TLSv1,2\"", "; did you mean \"TLSv1.2\"?"),
            ("invalid target_session_attrs value: \"readwrite\"", "; did you mean \"read-write\"?"),
            ("invalid URI query parameter: \"sslmod\"", "; did you mean \"sslmode\"?"),
            ("invalid integer value \"soon\" for connection option \"connect_timeout\"", ""),
            ("invalid sslmode value: \"...\"", ""),
        ] {
            assert_eq!(libpq_error_text(detail), format!("database.url: {detail}{near}"));
        }
    }
}
