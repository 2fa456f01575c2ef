//! `address`: unlocks networks that are locked out after too many failed logins.

use std::net::IpAddr;

use clap::Subcommand;
use ipnet::IpNet;
use serde_json::json;
use tillgate_domain::network::site_prefix_length;

use super::{CommandError, Context, print};
use crate::composition;

/// The subcommands of `address`.
#[derive(Debug, Subcommand)]
pub(crate) enum AddressCommand {
    /// Unlock a network after too many failed logins
    ///
    /// Failed logins to accounts that have not logged in from a network before are counted per
    /// network: an IPv4 /24 or an IPv6 /48. Networks are stored as digests and cannot be listed;
    /// the audit log and the server log contain the addresses of rejected logins.
    #[command(after_help = "Example:\n  tillgate address unlock 203.0.113.0/24")]
    Unlock {
        /// An address, or a network such as 203.0.113.0/24
        #[arg(value_name = "ADDRESS|NETWORK", value_parser = network)]
        network: IpNet,
    },
}

/// How many bits shorter than a counted network the argument may be: one command unlocks up to 2^8
/// networks.
const MAX_NETWORK_BITS: u8 = 8;

impl AddressCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let Self::Unlock { network } = self;
        let networks = counted(*network)?;
        let settings = context.settings(|_| ())?;
        let database = context.open_database(&settings)?;
        let engine = composition::build_command_engine(&settings, &database)?;
        let mut unlocked = Vec::new();
        for each in networks {
            if engine.unlock_network(each.network()).map_err(CommandError::failed)? {
                unlocked.push(each.to_string());
            }
        }
        let text = match unlocked.as_slice() {
            [] => format!(
                "nothing to unlock: no failed logins were counted for {network}; a network is an IPv4 /24 or an IPv6 /48"
            ),
            all => format!("{} may log in again", all.join(", ")),
        };
        print::print_result(context.json, &text, &json!({ "unlocked": unlocked }));
        Ok(())
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let network = text.parse().or_else(|_| address());
    network.map(canonical).map_err(|_| format!("\"{text}\" is neither an address nor a network"))
}

/// Converts an IPv4-mapped IPv6 network (RFC 4291, 2.5.5.2) to the IPv4 network.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let IpAddr::V4(address) = IpAddr::from(mapped.addr()).to_canonical() else { return network };
    let within = mapped.prefix_len().checked_sub(96).and_then(|prefix| IpNet::new(address.into(), prefix).ok());
    within.unwrap_or(network)
}

/// The networks, of the size by which failed logins are counted, that contain or lie in this one.
fn counted(network: IpNet) -> Result<Vec<IpNet>, CommandError> {
    let prefix = site_prefix_length(network.addr());
    if network.prefix_len() >= prefix {
        return IpNet::new(network.addr(), prefix).map(|network| vec![network.trunc()]).map_err(CommandError::failed);
    }
    let least = prefix - MAX_NETWORK_BITS;
    if network.prefix_len() < least {
        return Err(CommandError::usage(format!("{network} is too large; use a /{least} or smaller")));
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
