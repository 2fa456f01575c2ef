//! Which requests to reset a password are mailed next: those that nobody can be mailed for are settled all together, and the others
//! take turns by the network that they were asked from, so that a flood of one network holds nobody else up.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::office::ports::{OfficePorts, ResetRequest};
use crate::{Email, FoldedText, Instant, ResetId, Store, StoreExt, StoreResult, TenantId, User, UserStatus};

/// How many requests are looked at in one unit of work.
const REQUESTS_PER_ROUND: u32 = 1_000;

/// After how many units of work the rest waits for the next call, each of which settles up to [`WINDOW`] requests.
const MAX_ROUNDS: usize = 20;

/// The requests to take up next, `limit` at most.
///
/// Requests for addresses that no active user has are settled, and so are repeated ones: one mail answers all of them. That takes
/// one query for the addresses and one statement for the requests, a thousand at a time.
pub fn select_pending_resets(
    store: &dyn Store<OfficePorts>,
    now: Instant,
    limit: u32,
) -> StoreResult<Vec<ResetRequest>> {
    for _ in 0..MAX_ROUNDS {
        let due = store.read(|tx| tx.resets().list_due(now, REQUESTS_PER_ROUND))?;
        let emails: BTreeSet<FoldedText> =
            due.iter().flat_map(|request| Email::lookup_keys_of(request.email.as_str())).collect();
        let known =
            if emails.is_empty() { Vec::new() } else { store.read(|tx| tx.users().find_many_by_email(&emails))? };
        let full = due.len() >= usize::try_from(REQUESTS_PER_ROUND).unwrap_or(usize::MAX);
        let (pending, settled) = partition_requests(due, &known);
        if !settled.is_empty() {
            store.write(|tx| tx.resets().remove_requests(&settled))?;
        }
        if settled.is_empty() || !full {
            let mut pending = interleave_by_network(pending);
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

/// The first request for each address that somebody has, and the ids of all others.
fn partition_requests(due: Vec<ResetRequest>, known: &[User]) -> (Vec<ResetRequest>, Vec<ResetId>) {
    let owners = known.iter().filter(|user| can_reset(user));
    let owners: BTreeMap<FoldedText, TenantId> =
        owners.filter_map(|user| Some((user.email.as_ref()?.lookup_key(), user.tenant))).collect();
    let mut seen = BTreeSet::new();
    let (mut pending, mut settled) = (Vec::new(), Vec::new());
    for request in due {
        let email = request.email.lookup_key();
        let owner = owners.get(&email).filter(|owner| request.tenant.is_none_or(|tenant| tenant == **owner));
        if owner.is_some() && seen.insert(email) {
            pending.push(request);
        } else {
            settled.push(request.id);
        }
    }
    (pending, settled)
}

/// The second request of a network comes after the first of every other, and so on.
fn interleave_by_network(requests: Vec<ResetRequest>) -> Vec<ResetRequest> {
    let mut taken: BTreeMap<Option<IpAddr>, usize> = BTreeMap::new();
    let mut turns: Vec<(usize, ResetRequest)> = Vec::with_capacity(requests.len());
    for request in requests {
        let turn = taken.entry(request.address.map(network_prefix)).or_default();
        turns.push((*turn, request));
        *turn += 1;
    }
    // the sort is stable: within a turn the longest due comes first
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, request)| request).collect()
}

/// The network of an address: /24 of IPv4, /48 of IPv6, which is what one customer is given at most.
fn network_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4((u32::from(address) & !0xff).into()),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !((1 << 80) - 1)).into()),
    }
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
        let order: Vec<u8> = interleave_by_network(requests.to_vec())
            .iter()
            .map(|turn| {
                requests
                    .iter()
                    .position(|request| request.id == turn.id)
                    .and_then(|at| u8::try_from(at + 1).ok())
                    .unwrap()
            })
            .collect();
        assert_eq!(order, [1, 4, 6, 7, 2, 5, 3]);
    }
}
