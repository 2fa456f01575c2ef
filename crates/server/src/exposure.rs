//! Where the server may listen: passwords and tokens travel in its requests, so beyond loopback only behind TLS.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;

use crate::configuration::Settings;

/// Why an address is not listened on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "listening on {0} without TLS would send passwords and tokens over the network for everyone there to read: set server.tls_cert \
     and server.tls_key, or say --behind-proxy NETWORK if a proxy on that network speaks TLS for this server"
)]
pub(crate) struct ExposedAddressError(SocketAddr);

/// Refuses to listen beyond loopback without TLS, of the server's own or of a trusted proxy's.
pub(crate) fn check_exposure(settings: &Settings) -> Result<(), ExposedAddressError> {
    let covered = settings.server.tls_cert.is_some() || !settings.server.proxies.is_empty();
    let addresses = [Some(settings.server.listen), settings.operations.listen];
    match addresses.into_iter().flatten().find(|address| !is_loopback(address)) {
        Some(address) if !covered => Err(ExposedAddressError(address)),
        _ => Ok(()),
    }
}

/// Where health, metrics and documentation have a listener of their own if the settings name none.
const DEFAULT_OPERATIONS_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

/// Where health and metrics have a listener of their own. Metrics say how busy a shop is and how many logins fail, so strangers
/// do not read them: without a setting, this machine alone does if others reach the server.
pub(crate) fn operations_address(settings: &Settings) -> Option<SocketAddr> {
    let reached = !is_loopback(&settings.server.listen) || !settings.server.proxies.is_empty();
    settings.operations.listen.or(reached.then_some(DEFAULT_OPERATIONS_ADDRESS))
}

/// The networks that may connect to the server, beside this machine; empty: every one. Where a proxy speaks TLS for it, anybody else
/// would send passwords over the network in clear.
pub(crate) fn allowed_networks(settings: &Settings) -> Vec<IpNet> {
    let in_clear = settings.server.tls_cert.is_none() && !is_loopback(&settings.server.listen);
    if in_clear { settings.server.proxies.clone() } else { Vec::new() }
}

/// Whether only this machine reaches the address.
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
        let said = check_exposure(&settings(&[open])).unwrap_err().to_string();
        assert!(
            said.contains("0.0.0.0:8080") && said.contains("--behind-proxy") && said.contains("tls_cert"),
            "{said}"
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
