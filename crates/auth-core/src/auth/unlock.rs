//! Unlocks a network that is rate limited after too many wrong passwords.

use std::net::IpAddr;

use serde_json::json;
use tillgate_domain::network::{site_network, site_prefix_length};
use tillgate_domain::{Action, EventOutcome, StoreExt, Subject};

use super::Auth;
use crate::Error;

impl Auth {
    /// Refills the rate limit of the network of this address, for the operator of the server: the
    /// bucket that is shared by all accounts that are not known there. Returns false, and writes
    /// nothing, if the bucket is full. The buckets of accounts stay as they are.
    pub fn unlock_network(&self, address: IpAddr) -> Result<bool, Error> {
        let mut event = self.new_event(Action::Unlock, EventOutcome::Done, Subject::Server, None)?;
        let prefix = site_prefix_length(address);
        event.details.insert("network".to_owned(), json!(format!("{}/{prefix}", site_network(address))));
        Ok(self.store.write("unlock_network", |tx| {
            let refilled = self.throttle.refill_network(tx, address)?;
            if refilled {
                tx.audit().record(&event)?;
            }
            Ok(refilled)
        })?)
    }
}
