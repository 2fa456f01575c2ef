//! The part of a client's address that identifies its network.

use std::net::IpAddr;

/// Returns the part of an address that identifies one subscriber: an IPv4 address as a whole, an
/// IPv6 address without its last 72 bits (a /56), because a subscriber may choose those freely.
/// IPv4-mapped IPv6 addresses count as IPv4.
pub fn subscriber_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() & (u128::MAX << 72);
            IpAddr::V6(bits.into())
        }
    }
}
