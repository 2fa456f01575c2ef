//! `address`: networks from which too many wrong passwords came.

use std::net::IpAddr;

use clap::Subcommand;
use ipnet::IpNet;
use serde_json::json;

use super::{CommandError, Context, print};
use crate::composition;

/// What is done with addresses.
#[derive(Debug, Subcommand)]
pub(crate) enum Address {
    /// Unlock a network after too many failed logins
    ///
    /// Wrong passwords for accounts that have not logged in from a network before are counted by the network: the first 24 bits of
    /// an IPv4 address, the first 48 of an IPv6 address. Networks are kept as digests, so they cannot be listed: the audit and the
    /// log name the addresses that were held back.
    Unlock {
        /// An address, or a network such as 203.0.113.0/24
        #[arg(value_name = "ADDRESS|NETWORK", value_parser = network)]
        network: IpNet,
    },
}

/// The most networks that one command unlocks.
const MAX_NETWORKS: u8 = 8;

impl Address {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let Self::Unlock { network } = self;
        let networks = counted(*network)?;
        let settings = context.settings(|_| ())?;
        let database = composition::open_existing_database(&settings)?;
        let engine = composition::build_command_engine(&settings, &database)?;
        let mut unlocked = Vec::new();
        for each in networks {
            if engine.unlock_network(each.network()).map_err(CommandError::failed)? {
                unlocked.push(each.to_string());
            }
        }
        let text = match unlocked.as_slice() {
            [] => format!("nothing to unlock: no failed logins were counted for {network}"),
            all => format!("{} may log in again", all.join(", ")),
        };
        print::print_answer(context.json, &text, &json!({ "unlocked": unlocked }));
        Ok(())
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let network = text.parse().or_else(|_| address());
    network.map(canonical).map_err(|_| format!("\"{text}\" is no address and no network"))
}

/// A network of IPv4 that is written in IPv6 (RFC 4291, 2.5.5.2) as what it is.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let IpAddr::V4(address) = IpAddr::from(mapped.addr()).to_canonical() else { return network };
    let within = mapped.prefix_len().checked_sub(96).and_then(|prefix| IpNet::new(address.into(), prefix).ok());
    within.unwrap_or(network)
}

/// The networks that are counted by which this one lies in, or that lie in it.
fn counted(network: IpNet) -> Result<Vec<IpNet>, CommandError> {
    let prefix = if network.addr().is_ipv4() { 24 } else { 48 };
    if network.prefix_len() >= prefix {
        return IpNet::new(network.addr(), prefix).map(|network| vec![network.trunc()]).map_err(CommandError::failed);
    }
    let least = prefix - MAX_NETWORKS;
    if network.prefix_len() < least {
        return Err(CommandError::usage(format!("{network} is too large; name a /{least} or smaller")));
    }
    Ok(network.subnets(prefix).map_err(CommandError::failed)?.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_is_unlocked_as_it_is_counted() {
        for (text, first, number) in [
            ("203.0.113.7", "203.0.113.0/24", 1),
            ("203.0.113.128/25", "203.0.113.0/24", 1),
            ("::ffff:203.0.113.7", "203.0.113.0/24", 1),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24", 1),
            ("10.7.0.0/16", "10.7.0.0/24", 256),
            ("2001:db8:1:2::3", "2001:db8:1::/48", 1),
            ("2001:db8::/47", "2001:db8::/48", 2),
        ] {
            let networks = counted(network(text).unwrap()).unwrap();
            assert_eq!((networks[0].to_string(), networks.len()), (first.to_owned(), number), "{text}");
        }
        for text in ["10.0.0.0/15", "2001:db8::/39"] {
            assert!(matches!(counted(network(text).unwrap()), Err(CommandError::Usage(_))), "{text}");
        }
        for text in ["", "203.0.113", "203.0.113.0/33", "shop"] {
            assert!(network(text).is_err(), "{text}");
        }
    }
}
