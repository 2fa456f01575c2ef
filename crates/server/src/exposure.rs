//! Where the server may listen. Requests contain passwords and tokens, so a server that other
//! machines can reach requires TLS, its own or that of a trusted proxy.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;

use crate::configuration::Settings;

/// The error for an address on which passwords would be sent unencrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "listening on {0} without TLS would send passwords and tokens unencrypted over the network: set server.tls_cert \
     and server.tls_key, or use --behind-proxy NETWORK if a proxy in that network terminates TLS for this server"
)]
pub(crate) struct ExposedAddressError(SocketAddr);

/// Refuses to listen beyond loopback without TLS and without a trusted proxy.
pub(crate) fn check_exposure(settings: &Settings) -> Result<(), ExposedAddressError> {
    let covered = settings.server.tls_cert.is_some() || !settings.server.proxies.is_empty();
    let addresses = [Some(settings.server.listen), settings.operations.listen];
    match addresses.into_iter().flatten().find(|address| !is_loopback(address)) {
        Some(address) if !covered => Err(ExposedAddressError(address)),
        _ => Ok(()),
    }
}

/// The default address of the separate listener for health, metrics and documentation.
const DEFAULT_OPERATIONS_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

/// The address of the separate listener for health and metrics, if there is one. Metrics reveal how
/// busy a shop is and how many logins fail. Therefore, if other machines can reach the server, only
/// this machine can read them by default.
pub(crate) fn operations_address(settings: &Settings) -> Option<SocketAddr> {
    let reached = !is_loopback(&settings.server.listen) || !settings.server.proxies.is_empty();
    settings.operations.listen.or(reached.then_some(DEFAULT_OPERATIONS_ADDRESS))
}

/// The networks that may connect to the server, in addition to this machine; empty for all. If a
/// proxy terminates TLS, anybody else would send passwords unencrypted.
pub(crate) fn allowed_networks(settings: &Settings) -> Vec<IpNet> {
    let in_clear = settings.server.tls_cert.is_none() && !is_loopback(&settings.server.listen);
    if in_clear { settings.server.proxies.clone() } else { Vec::new() }
}

/// Whether the address can be reached only from this machine.
pub(crate) fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Flags, load_settings};

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let flags = Flags { data: Some("/nowhere/at/all".into()), ..Flags::default() };
        load_settings(&flags, &pairs).unwrap()
    }

    #[test]
    fn public_address_requires_tls_or_a_proxy() {
        let open = ("TILLGATE_SERVER__LISTEN", "0.0.0.0:8080");
        let proxy = ("TILLGATE_SERVER__PROXIES", "10.0.0.0/8");
        let tls = [("TILLGATE_SERVER__TLS_CERT", "c.pem"), ("TILLGATE_SERVER__TLS_KEY", "k.pem")];
        let operations = ("TILLGATE_OPERATIONS__LISTEN", "10.1.2.3:9090");
        assert!(check_exposure(&settings(&[])).is_ok());
        assert!(check_exposure(&settings(&[open])).is_err());
        assert!(check_exposure(&settings(&[operations])).is_err());
        assert!(check_exposure(&settings(&[open, proxy])).is_ok());
        let networks = |pairs: &[(&str, &str)]| allowed_networks(&settings(pairs)).len();
        assert_eq!((networks(&[open, proxy]), networks(&[proxy]), networks(&[open, proxy, tls[0], tls[1]])), (1, 0, 0));
        assert!(check_exposure(&settings(&[open, tls[0], tls[1]])).is_ok());
        let error = check_exposure(&settings(&[open])).unwrap_err().to_string();
        assert!(
            error.contains("0.0.0.0:8080") && error.contains("--behind-proxy") && error.contains("tls_cert"),
            "{error}"
        );
    }

    #[test]
    fn metrics_get_their_own_listener_on_a_public_server() {
        let own = ("TILLGATE_OPERATIONS__LISTEN", "127.0.0.1:9090");
        let behind = ("TILLGATE_SERVER__PROXIES", "127.0.0.1/32");
        let beyond = ("TILLGATE_SERVER__LISTEN", "0.0.0.0:8080");
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(operations_address(&settings(&[])), None);
        assert_eq!(operations_address(&settings(&[behind])), at("127.0.0.1:8081"));
        assert_eq!(operations_address(&settings(&[beyond])), at("127.0.0.1:8081"));
        assert_eq!(operations_address(&settings(&[own, behind])), at("127.0.0.1:9090"));
        assert_eq!(operations_address(&settings(&[own])), at("127.0.0.1:9090"));
    }

    #[test]
    fn loopback_addresses_are_recognized() {
        for (address, loopback) in [
            ("127.0.0.1:1", true),
            ("127.8.8.8:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("192.168.1.4:1", false),
            ("[::ffff:10.0.0.1]:1", false),
        ] {
            assert_eq!(is_loopback(&address.parse().unwrap()), loopback, "{address}");
        }
    }
}
