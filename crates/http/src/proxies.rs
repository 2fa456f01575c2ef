//! The client's address, scheme and host behind trusted proxies.
//!
//! Only headers of trusted proxies are used. The list of addresses is read from its right end,
//! where each proxy appended the address of its peer, until one is not a trusted proxy. Only one
//! kind of header is read: `X-Forwarded-For`, `-Proto` and `-Host`, or `Forwarded` (RFC 7239) if
//! the settings say so, because a proxy that sets one kind passes the other on from the client.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderValue};
use ipnet::IpNet;

/// The client of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// Address of the peer, or of the client that the proxies report; never an IPv4-mapped IPv6
    /// address.
    pub address: Option<IpAddr>,
    /// The scheme `https` or `http`, if the proxies report it.
    pub scheme: Option<&'static str>,
    /// The host, if the proxies report it.
    pub host: Option<String>,
    /// Whether the peer is a trusted proxy.
    pub via_proxy: bool,
}

/// One hop of a request, as a proxy reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Hop {
    address: Option<IpAddr>,
    scheme: Option<&'static str>,
    host: Option<String>,
}

/// The headers in which trusted proxies report the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeaders {
    /// `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Finds the client: the peer, or the client that a trusted proxy reports in headers of this kind.
pub fn resolve_client(trusted: &[IpNet], kind: ProxyHeaders, peer: Option<IpAddr>, headers: &HeaderMap) -> ClientInfo {
    let peer = peer.map(|peer| peer.to_canonical());
    let plain = ClientInfo { address: peer, ..ClientInfo::default() };
    if !peer.is_some_and(|peer| is_trusted(trusted, peer)) {
        return plain;
    }
    let plain = ClientInfo { via_proxy: true, ..plain };
    let hop = match kind {
        ProxyHeaders::XForwarded => read_x_forwarded(trusted, peer, headers),
        ProxyHeaders::Forwarded => read_forwarded(trusted, peer, headers),
    };
    match hop {
        Some(hop) => ClientInfo { address: hop.address, scheme: hop.scheme, host: hop.host, via_proxy: true },
        None => plain,
    }
}

/// Warns once per process if a trusted proxy does not report its clients: then all clients have the
/// proxy's address and share its limits.
pub(crate) fn warn_if_headers_missing(peer: Option<IpAddr>, kind: ProxyHeaders, headers: &HeaderMap) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let header = match kind {
        ProxyHeaders::XForwarded => "X-Forwarded-For",
        ProxyHeaders::Forwarded => "Forwarded",
    };
    let Some(peer) = peer.filter(|_| !headers.contains_key(header)) else { return };
    if WARNED.swap(true, Ordering::Relaxed) {
        return;
    }
    tracing::warn!(
        proxy = %peer,
        "a proxy of server.proxies sends no {header}: every client counts as one address. Let the proxy set the \
         header (docs/proxy.md)"
    );
}

fn is_trusted(trusted: &[IpNet], address: IpAddr) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

/// Returns the right-most address that is not a trusted proxy, and the number of entries to its
/// right. An unreadable entry (`unknown`, an obfuscated name) ends the search; then the last
/// address reported by a proxy is used.
fn find_client_address(
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

/// Reads the `Forwarded` headers.
fn read_forwarded(trusted: &[IpNet], peer: Option<IpAddr>, headers: &HeaderMap) -> Option<Hop> {
    let hops: Vec<Hop> = headers.get_all(FORWARDED).flat_map(parse_elements).collect();
    if hops.is_empty() {
        return None;
    }
    let (address, distance) = find_client_address(trusted, peer, hops.iter().rev().map(|hop| hop.address));
    let client_hop = hops.into_iter().rev().nth(distance).unwrap_or_default();
    Some(Hop { address, ..client_hop })
}

/// Reads the `X-Forwarded-` headers.
fn read_x_forwarded(trusted: &[IpNet], peer: Option<IpAddr>, headers: &HeaderMap) -> Option<Hop> {
    let [addresses, schemes, hosts] = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]
        .map(|name| headers.get_all(name).flat_map(split_items).collect::<Vec<_>>());
    if addresses.is_empty() && schemes.is_empty() && hosts.is_empty() {
        return None;
    }
    let (address, distance) = find_client_address(trusted, peer, addresses.iter().rev().map(|text| parse_node(text)));
    // a proxy that appends to all three headers keeps them aligned; one that overwrites leaves a
    // single value
    let value_at = |list: &[&str]| {
        let at = distance.min(list.len().saturating_sub(1));
        list.iter().rev().nth(at).map(|text| (*text).to_owned())
    };
    Some(Hop {
        address,
        scheme: value_at(&schemes).as_deref().and_then(parse_scheme),
        host: value_at(&hosts).and_then(parse_host),
    })
}

/// Splits a line of an `X-Forwarded-` header into items. These headers have no quoting: a quotation
/// mark of the client must not hide the comma before the item that the proxy appended. For the same
/// reason, an item that is not text remains as an item without information.
fn split_items(line: &HeaderValue) -> impl Iterator<Item = &str> {
    let item = |bytes| std::str::from_utf8(bytes).unwrap_or("?").trim();
    line.as_bytes().split(|byte| *byte == b',').map(item).filter(|item| !item.is_empty())
}

/// Splits a line of `Forwarded` into elements. A line that is not text or has an unpaired quotation
/// mark is a single element without information, because otherwise the client would choose where
/// elements begin.
fn parse_elements(line: &HeaderValue) -> Vec<Hop> {
    match line.to_str().ok().and_then(|line| split_unquoted(line, ',')) {
        Some(parts) => parts.into_iter().filter(|part| !part.is_empty()).map(parse_element).collect(),
        None => vec![Hop::default()],
    }
}

/// Splits a line at separators outside of quotation marks (RFC 9110, 5.6.4); `None` if a quotation
/// mark is unpaired.
fn split_unquoted(line: &str, separator: char) -> Option<Vec<&str>> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = line.split(|c| {
        let plain = !escaped;
        escaped = plain && quoted && c == '\\';
        quoted ^= plain && c == '"';
        c == separator && !quoted
    });
    let parts = parts.map(str::trim).collect();
    (!quoted).then_some(parts)
}

/// Parses one element of `Forwarded`, such as `for=192.0.2.43;proto=https;host=example.com`.
fn parse_element(text: &str) -> Hop {
    let mut hop = Hop::default();
    for (name, value) in
        split_unquoted(text, ';').unwrap_or_default().into_iter().filter_map(|pair| pair.split_once('='))
    {
        let value = strip_quotes(value.trim());
        match name.trim() {
            name if name.eq_ignore_ascii_case("for") => hop.address = parse_node(value),
            name if name.eq_ignore_ascii_case("proto") => hop.scheme = parse_scheme(value),
            name if name.eq_ignore_ascii_case("host") => hop.host = parse_host(value.to_owned()),
            _ => {}
        }
    }
    hop
}

/// Removes quotation marks. The values that we read need no escapes.
fn strip_quotes(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// Parses an address with an optional port; IPv6 may be in brackets.
fn parse_node(text: &str) -> Option<IpAddr> {
    let text = strip_quotes(text);
    let port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let bracketed = || {
        let (address, rest) = text.strip_prefix('[')?.split_once(']')?;
        (rest.is_empty() || rest.strip_prefix(':').is_some_and(port)).then(|| address.parse().ok())?
    };
    let ported = || {
        let (address, after) = text.split_once(':')?;
        port(after).then(|| address.parse().ok())?
    };
    text.parse().ok().or_else(bracketed).or_else(ported).map(|address: IpAddr| address.to_canonical())
}

fn parse_scheme(text: &str) -> Option<&'static str> {
    ["https", "http"].into_iter().find(|known| text.eq_ignore_ascii_case(known))
}

fn parse_host(text: String) -> Option<String> {
    is_host(&text).then_some(text)
}

/// Whether a text has only characters of a host with a port, and is neither empty nor too long.
pub(crate) fn is_host(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(fits)
}

#[cfg(test)]
mod tests;
