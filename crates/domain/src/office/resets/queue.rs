//! Selects the requests to reset a password that are mailed next. Requests for which nobody can be
//! mailed are removed together. The others take turns by the network from which they were sent and
//! by tenant, so that many requests of one network or for one tenant do not delay the others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::network::site_network;
use crate::office::ports::{OfficePorts, ResetRequest};
use crate::{Email, FoldedText, Instant, ResetId, Store, StoreExt, StoreResult, TenantId, User, UserStatus};

/// The number of requests that one unit of work processes.
const REQUESTS_PER_ROUND: u32 = 1_000;

/// The number of units of work in one call, each of which removes up to [`REQUESTS_PER_ROUND`]
/// requests.
const MAX_ROUNDS: usize = 20;

/// Selects at most `limit` requests to process next.
///
/// Removes requests for addresses that no active user has, and repeated ones, which one mail
/// responses. This takes one query for the addresses and one statement for the requests per
/// thousand requests.
pub fn select_pending_resets(
    store: &dyn Store<OfficePorts>,
    now: Instant,
    limit: u32,
) -> StoreResult<Vec<ResetRequest>> {
    for _ in 0..MAX_ROUNDS {
        let due = store.read("select_pending_resets", |tx| tx.resets().list_due(now, REQUESTS_PER_ROUND))?;
        let emails: BTreeSet<FoldedText> =
            due.iter().flat_map(|request| Email::lookup_keys_of(request.email.as_str())).collect();
        let known = if emails.is_empty() {
            Vec::new()
        } else {
            store.read("select_pending_resets", |tx| tx.users().find_many_by_email(&emails))?
        };
        let full = due.len() >= usize::try_from(REQUESTS_PER_ROUND).unwrap_or(usize::MAX);
        let (pending, settled) = partition_requests(due, &known);
        if !settled.is_empty() {
            store.write("select_pending_resets", |tx| tx.resets().remove_requests(&settled))?;
        }
        if settled.is_empty() || !full {
            let mut pending = take_turns(pending);
            pending.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok(pending);
        }
    }
    Ok(Vec::new())
}

/// Whether a reset may be granted to a user.
pub(in crate::office) fn can_reset(user: &User) -> bool {
    user.status == UserStatus::Active && !user.is_virtual()
}

/// The first request for each address that a user has, with the user's tenant, and the ids of all
/// others.
fn partition_requests(due: Vec<ResetRequest>, known: &[User]) -> (Vec<(TenantId, ResetRequest)>, Vec<ResetId>) {
    let owners = known.iter().filter(|user| can_reset(user));
    let owners: BTreeMap<FoldedText, TenantId> =
        owners.filter_map(|user| Some((user.email.as_ref()?.lookup_key(), user.tenant))).collect();
    let mut seen = BTreeSet::new();
    let (mut pending, mut settled) = (Vec::new(), Vec::new());
    for request in due {
        let email = request.email.lookup_key();
        let owner = owners.get(&email).filter(|owner| request.tenant.is_none_or(|tenant| tenant == **owner));
        match owner {
            Some(owner) if seen.insert(email) => pending.push((*owner, request)),
            _ => settled.push(request.id),
        }
    }
    (pending, settled)
}

/// The second request of a site's network comes after the first one of each other network, and so
/// on. Among requests that are equal in this, the second one for a tenant comes after the first one
/// for each other tenant, and so on.
fn take_turns(requests: Vec<(TenantId, ResetRequest)>) -> Vec<ResetRequest> {
    let mut by_network: BTreeMap<Option<IpAddr>, usize> = BTreeMap::new();
    let mut by_tenant: BTreeMap<(usize, TenantId), usize> = BTreeMap::new();
    let mut turns: Vec<((usize, usize), ResetRequest)> = Vec::with_capacity(requests.len());
    for (tenant, request) in requests {
        let network_turn = by_network.entry(request.address.map(site_network)).or_default();
        let tenant_turn = by_tenant.entry((*network_turn, tenant)).or_default();
        turns.push(((*network_turn, *tenant_turn), request));
        *network_turn += 1;
        *tenant_turn += 1;
    }
    // The sort is stable: within a turn, the longest due request comes first.
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, request)| request).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: u8, from: &str) -> ResetRequest {
        ResetRequest {
            id: ResetId::new(Instant::default(), [number; 10]),
            email: Email::parse(&format!("user{number}@example.com")).unwrap(),
            tenant: None,
            address: from.parse().ok(),
            requested_at: Instant::default(),
            due_at: Instant::default(),
            tries: 0,
        }
    }

    fn tenant(number: u8) -> TenantId {
        TenantId::new(Instant::default(), [number; 10])
    }

    /// The positions of the requests in the order of their turns; each is for this tenant.
    fn order_turns(requests: &[(u8, ResetRequest)]) -> Vec<usize> {
        let given = requests.iter().map(|(number, request)| (tenant(*number), request.clone())).collect();
        let position = |turn: &ResetRequest| requests.iter().position(|(_, request)| request.id == turn.id);
        take_turns(given).iter().map(|turn| position(turn).unwrap() + 1).collect()
    }

    #[test]
    fn tenants_take_turns_among_requests_of_different_networks() {
        let networks = ["198.51.100.1", "203.0.113.1", "192.0.2.1", "10.0.0.1", "10.0.1.1", "10.0.2.1"];
        let tenants = [1, 1, 1, 1, 2, 3];
        let requests: Vec<_> = tenants
            .into_iter()
            .zip(networks)
            .zip(1..)
            .map(|((tenant, network), number)| (tenant, request(number, network)))
            .collect();
        assert_eq!(order_turns(&requests), [1, 5, 6, 2, 3, 4]);
    }

    #[test]
    fn reset_requests_are_interleaved_by_network() {
        let requests = [
            request(1, "198.51.100.1"),
            request(2, "198.51.100.2"),
            request(3, "198.51.100.3"),
            request(4, "2001:db8:1:2::3"),
            request(5, "2001:db8:1:ffff::4"),
            request(6, "203.0.113.9"),
            request(7, ""),
        ];
        let of_one_tenant = requests.map(|request| (1, request));
        assert_eq!(order_turns(&of_one_tenant), [1, 4, 6, 7, 2, 5, 3]);
    }
}
