//! The in-memory port for the token with which the first administrator is set up.

use tillgate_domain::office::ports::{SetupTokenDigest, SetupTokens};
use tillgate_domain::{Instant, StoreResult};

use super::transaction::Transaction;

impl SetupTokens for Transaction<'_> {
    fn find(&mut self) -> StoreResult<Option<SetupTokenDigest>> {
        Ok(self.tables().setup_token.get(&()).copied())
    }

    fn put(&mut self, digest: &SetupTokenDigest, _at: Instant) -> StoreResult<()> {
        self.tables_mut()?.setup_token.put((), *digest);
        Ok(())
    }

    fn consume(&mut self, digest: &SetupTokenDigest) -> StoreResult<bool> {
        let token = &mut self.tables_mut()?.setup_token;
        Ok(token.get(&()) == Some(digest) && token.remove(&()))
    }
}
