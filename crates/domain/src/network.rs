//! The networks by which addresses are compared, counted and limited.
//!
//! Each function returns the lowest address of the network. An IPv4-mapped IPv6 address counts as
//! the IPv4 address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The prefix lengths of a [site's network](site_network).
const SITE_PREFIXES: (u8, u8) = (24, 48);

/// The network of one subscriber: an IPv4 address as a whole, or the /56 of an IPv6 address, in
/// which a subscriber may choose addresses freely.
pub fn subscriber_network(address: IpAddr) -> IpAddr {
    mask_address(address, (32, 56))
}

/// The network of one site: the /24 of an IPv4 address or the /48 of an IPv6 address, the largest
/// that one customer usually gets.
pub fn site_network(address: IpAddr) -> IpAddr {
    mask_address(address, SITE_PREFIXES)
}

/// The prefix length of the [site's network](site_network) of this address.
pub fn site_prefix_length(address: IpAddr) -> u8 {
    if address.to_canonical().is_ipv4() { SITE_PREFIXES.0 } else { SITE_PREFIXES.1 }
}

/// The network of one link: an IPv4 address as a whole (the tills of a shop share one), or the /64
/// of an IPv6 address.
pub fn link_network(address: IpAddr) -> IpAddr {
    mask_address(address, (32, 64))
}

/// The address with all bits after its prefix set to zero. The lengths are those of IPv4 and IPv6,
/// at least one bit each.
fn mask_address(address: IpAddr, (ipv4_prefix, ipv6_prefix): (u8, u8)) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & u32::MAX << (32 - ipv4_prefix)).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & u128::MAX << (128 - ipv6_prefix)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_belongs_to_a_subscriber_a_site_and_a_link() {
        for (address, subscriber, site, link) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.0", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.0", "192.0.2.7"),
            ("255.255.255.255", "255.255.255.255", "255.255.255.0", "255.255.255.255"),
            ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0"),
            ("2001:db8:1:22ff:3:4:5:6", "2001:db8:1:2200::", "2001:db8:1::", "2001:db8:1:22ff::"),
            ("::192.0.2.7", "::", "::", "::"),
            ("::1", "::", "::", "::"),
        ] {
            let of: IpAddr = address.parse().unwrap();
            let networks = [subscriber_network(of), site_network(of), link_network(of)];
            assert_eq!(networks.map(|network| network.to_string()), [subscriber, site, link], "{address}");
        }
    }
}
