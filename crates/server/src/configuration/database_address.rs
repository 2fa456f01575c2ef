//! The address of the database, from the settings.

use tillgate_persistence::Address;

use super::Settings;

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

#[cfg(test)]
mod tests {
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
}
