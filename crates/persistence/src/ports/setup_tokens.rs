//! The token with which the first administrator is set up.

use diesel::prelude::*;
use tillgate_domain::office::ports::{SetupTokenDigest, SetupTokens};
use tillgate_domain::{Instant, StoreError, StoreResult};

use crate::error_class::classify;
use crate::schema::setup_token;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

const PUT: &str = "INSERT INTO setup_token (id, digest, drawn_at) VALUES (1, $1, $2) \
     ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, drawn_at = excluded.drawn_at";
const CONSUME: &str = "DELETE FROM setup_token WHERE id = 1 AND digest = $1";

impl SetupTokens for Transaction<'_> {
    fn find(&mut self) -> StoreResult<Option<SetupTokenDigest>> {
        let found: Option<Vec<u8>> = setup_token::table
            .find(1_i64)
            .select(setup_token::digest)
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        let corrupt = |_| StoreError::Corrupt {
            table: "setup_token",
            column: "digest",
            detail: "no digest of 32 bytes".to_owned(),
        };
        found.map(|digest| SetupTokenDigest::try_from(digest).map_err(corrupt)).transpose()
    }

    fn put(&mut self, digest: &SetupTokenDigest, at: Instant) -> StoreResult<()> {
        self.execute(&Statement::new(PUT, [Bind::Bytes(digest), at.into()])).map(drop)
    }

    fn consume(&mut self, digest: &SetupTokenDigest) -> StoreResult<bool> {
        Ok(self.execute(&Statement::new(CONSUME, [Bind::Bytes(digest)]))? == 1)
    }
}
