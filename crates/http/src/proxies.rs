//! Who really calls, and under which scheme and host, where trusted proxies stand between.
//!
//! Only what a trusted proxy says is believed: the list of addresses is read from its right end, where each proxy appended the
//! one that called it, until one is not ours. `Forwarded` (RFC 7239) and `X-Forwarded-For`, `-Proto`, `-Host` are both read;
//! where a request bears both and they name different clients, one of them was passed through from the client, so neither is
//! believed and the address is the proxy's own.

use std::net::IpAddr;

use actix_web::http::header::{FORWARDED, HeaderMap};
use ipnet::IpNet;

/// What stands behind the proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// Who calls: the peer itself, or the one that the proxies name; never an IPv4 address in IPv6's clothes.
    pub address: Option<IpAddr>,
    /// The scheme, `https` or `http`, where the proxies name it.
    pub scheme: Option<&'static str>,
    /// The host, where the proxies name it.
    pub host: Option<String>,
    /// Whether the peer is a trusted proxy.
    pub proxied: bool,
}

/// One step of a request on its way, as a proxy tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Hop {
    address: Option<IpAddr>,
    scheme: Option<&'static str>,
    host: Option<String>,
}

/// Finds who calls: the peer, unless it is one of the trusted proxies and its headers say for whom it calls.
pub fn behind(trusted: &[IpNet], peer: Option<IpAddr>, headers: &HeaderMap) -> Behind {
    let peer = peer.map(|peer| peer.to_canonical());
    let plain = Behind { address: peer, ..Behind::default() };
    if !peer.is_some_and(|peer| is_trusted(trusted, peer)) {
        return plain;
    }
    let plain = Behind { proxied: true, ..plain };
    let told = match (standard(trusted, peer, headers), customary(trusted, peer, headers)) {
        (Some(one), Some(other)) if one.address != other.address => None,
        (Some(one), Some(other)) => {
            Some(Hop { scheme: one.scheme.or(other.scheme), host: one.host.or(other.host), ..one })
        }
        (one, other) => one.or(other),
    };
    match told {
        Some(hop) => Behind { address: hop.address, scheme: hop.scheme, host: hop.host, proxied: true },
        None => plain,
    }
}

fn is_trusted(trusted: &[IpNet], address: IpAddr) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

/// The right-most address that is not a trusted proxy's, and how many stand to the right of it. What cannot be read (`unknown`,
/// an obfuscated name) ends the walk: the last address that a proxy vouched for counts then.
fn client(
    trusted: &[IpNet],
    peer: Option<IpAddr>,
    from_the_right: impl Iterator<Item = Option<IpAddr>>,
) -> (Option<IpAddr>, usize) {
    let mut last = (peer, 0);
    for (distance, address) in from_the_right.enumerate() {
        match address {
            Some(address) => last = (Some(address), distance),
            None => return last,
        }
        if last.0.is_some_and(|address| !is_trusted(trusted, address)) {
            return last;
        }
    }
    last
}

/// What `Forwarded` says.
fn standard(trusted: &[IpNet], peer: Option<IpAddr>, headers: &HeaderMap) -> Option<Hop> {
    let hops: Vec<Hop> = items(headers, FORWARDED.as_str()).map(element).collect();
    if hops.is_empty() {
        return None;
    }
    let (address, distance) = client(trusted, peer, hops.iter().rev().map(|hop| hop.address));
    let said = hops.into_iter().rev().nth(distance).unwrap_or_default();
    Some(Hop { address, ..said })
}

/// What the `X-Forwarded-` headers say.
fn customary(trusted: &[IpNet], peer: Option<IpAddr>, headers: &HeaderMap) -> Option<Hop> {
    let [addresses, schemes, hosts] = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]
        .map(|name| items(headers, name).collect::<Vec<_>>());
    if addresses.is_empty() && schemes.is_empty() && hosts.is_empty() {
        return None;
    }
    let (address, distance) = client(trusted, peer, addresses.iter().rev().map(|text| node(text)));
    // a proxy that appends to all three keeps them in step; one that overwrites leaves a single value
    let beside = |list: &[&str]| {
        let at = distance.min(list.len().saturating_sub(1));
        list.iter().rev().nth(at).map(|text| (*text).to_owned())
    };
    Some(Hop { address, scheme: beside(&schemes).as_deref().and_then(scheme), host: beside(&hosts).and_then(host) })
}

/// The comma-separated items of every line of a header, in order. Commas inside quotes do not part.
fn items<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| parts(line, ','))
        .filter(|item| !item.is_empty())
}

fn parts(line: &str, at: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    line.split(move |c| {
        quoted ^= c == '"';
        c == at && !quoted
    })
    .map(str::trim)
}

/// One element of `Forwarded`: `for=192.0.2.43;proto=https;host=example.com`.
fn element(text: &str) -> Hop {
    let mut hop = Hop::default();
    for (name, value) in parts(text, ';').filter_map(|pair| pair.split_once('=')) {
        let value = value.trim().trim_matches('"');
        match name.trim() {
            name if name.eq_ignore_ascii_case("for") => hop.address = node(value),
            name if name.eq_ignore_ascii_case("proto") => hop.scheme = scheme(value),
            name if name.eq_ignore_ascii_case("host") => hop.host = host(value.to_owned()),
            _ => {}
        }
    }
    hop
}

/// An address as proxies write it: bare, with a port, IPv6 in brackets or without.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bracketed = || text.strip_prefix('[')?.split_once(']').map(|(inner, _)| inner)?.parse().ok();
    let ported = || text.rsplit_once(':').filter(|(address, _)| !address.contains(':'))?.0.parse().ok();
    text.parse().ok().or_else(bracketed).or_else(ported).map(|address: IpAddr| address.to_canonical())
}

fn scheme(text: &str) -> Option<&'static str> {
    ["https", "http"].into_iter().find(|known| text.eq_ignore_ascii_case(known))
}

fn host(text: String) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    (!text.is_empty() && text.len() <= 255 && text.bytes().all(fits)).then_some(text)
}

#[cfg(test)]
mod tests;
