//! Mounts: the dialects that are served in addition to the native API, and their prefixes, hosts
//! and tenants.

use serde::Deserialize;
use tillgate_domain::Slug;
use tillgate_http::{DIALECTS, DialectEntry, Mount};
use toml::Value;

use super::ConfigError;
use super::layers::{Layers, Source};

/// A dialect at a prefix.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MountConfig {
    /// The name of the dialect.
    pub(crate) dialect: String,
    /// The path prefix: empty for the root, otherwise `/...` without a trailing slash.
    pub(crate) prefix: String,
    /// The only host name that the mount serves; `None` for all.
    #[serde(default)]
    pub(crate) host: Option<String>,
    /// The only tenant that the mount serves; `None` if each request identifies its tenant.
    #[serde(default)]
    pub(crate) tenant: Option<Slug>,
}

/// The mounts of the file, or by default each dialect at its own name, for the tenant `default`
/// unless its requests identify their tenant.
pub(super) fn read_mounts(layers: &Layers) -> Result<Vec<MountConfig>, ConfigError> {
    let Some((value, source)) = &layers.mounts else {
        // a dialect through which anybody can register a tenant is served only if the file mounts
        // it, and in a demo
        let served = |entry: &&DialectEntry| layers.every_dialect || !entry.registers_tenants;
        return Ok(DIALECTS.iter().filter(served).filter_map(default_mount).collect());
    };
    let Value::Array(values) = value else {
        return Ok(Vec::new());
    };
    values.iter().enumerate().map(|(index, value)| read_mount(value, source, index + 1)).collect()
}

fn default_mount(entry: &DialectEntry) -> Option<MountConfig> {
    // a dialect that registers tenants finds the tenant of each request itself
    let tenant = if entry.registers_tenants { None } else { Some(Slug::parse("default").ok()?) };
    Some(MountConfig { dialect: entry.name.to_owned(), prefix: format!("/{}", entry.name), host: None, tenant })
}

fn read_mount(value: &Value, source: &Source, number: usize) -> Result<MountConfig, ConfigError> {
    let fault =
        |why: String| ConfigError::Value { source: source.clone(), key: format!("mounts (number {number})"), why };
    let mount: MountConfig =
        value.clone().try_into().map_err(|error: toml::de::Error| fault(error.message().to_owned()))?;
    if DialectEntry::find(&mount.dialect).is_none() {
        let names: Vec<&str> = DIALECTS.iter().map(|entry| entry.name).collect();
        return Err(fault(format!(
            "has the unknown dialect \"{}\"; the dialects are {}",
            mount.dialect,
            names.join(", ")
        )));
    }
    if !Mount::is_prefix(&mount.prefix) {
        return Err(fault("has an invalid prefix: it must be empty or of the form /name or /name/name".to_owned()));
    }
    if let Some(host) = mount.host.as_ref().filter(|host| !is_host(host)) {
        return Err(fault(format!(
            "has the invalid host {host:?}: it must be a host name without a port, such as pos.example"
        )));
    }
    Ok(mount)
}

/// Whether a text is a host as in a request: a name, or an address with IPv6 in brackets. A port is
/// invalid, because ports are not compared.
fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
    text.strip_suffix('.').unwrap_or(text).split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_a_name_without_a_port() {
        for good in ["pos.example", "POS.example.", "localhost", "192.0.2.7", "[2001:db8::1]", "a_b-c.example"] {
            assert!(is_host(good), "{good}");
        }
        for bad in ["", ".", "pos.example:8080", "https://pos.example", "*.example", "a..b", "[::1]:80", "pos example"]
        {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
