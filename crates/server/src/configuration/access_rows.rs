//! The access table: the requests to other APIs that a gateway may let pass, row by row.

use std::collections::BTreeSet;

use serde::Deserialize;
use tillgate_domain::{Rank, Right, Slug};
use tillgate_http::{AccessRequirement, AccessRule};
use toml::Value;

use super::ConfigError;
use super::layers::{Layers, Source};
use super::mount_rows::MountConfig;
use crate::suggestions;

/// A row of the table as written in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessRowConfig {
    method: OneOrMany,
    path: String,
    mount: OneOrMany,
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    rights: Option<Vec<String>>,
}

/// One text or a list of texts.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(word) => vec![word],
            Self::Many(words) => words,
        }
    }
}

/// The registered methods (IANA HTTP Method Registry, 2024).
const METHODS: &[&str] = &[
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "PUT",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
];

/// The value of `tenant` that means every tenant.
const EVERY_TENANT: &str = "*";

/// The name of the native API in `mount`.
const NATIVE_MOUNT: &str = "native";

/// An error in a row: the key and the reason.
type RowError = (&'static str, String);

/// The rows of the file; empty if it has none.
pub(super) fn read_rules(layers: &Layers, mounts: &[MountConfig]) -> Result<Vec<AccessRule>, ConfigError> {
    let Some((Value::Array(values), source)) = &layers.access else { return Ok(Vec::new()) };
    values.iter().zip(1..).map(|(value, number)| read_rule(value, source, number, mounts)).collect()
}

fn read_rule(value: &Value, source: &Source, number: usize, mounts: &[MountConfig]) -> Result<AccessRule, ConfigError> {
    let fault = |key: &str, why: String| ConfigError::Value { source: source.clone(), key: key.to_owned(), why };
    let row: AccessRowConfig = value
        .clone()
        .try_into()
        .map_err(|error: toml::de::Error| fault(&format!("access (number {number})"), error.message().to_owned()))?;
    parse_row(row, mounts).map_err(|(key, why)| fault(&format!("access.{key} (number {number})"), why))
}

fn parse_row(row: AccessRowConfig, mounts: &[MountConfig]) -> Result<AccessRule, RowError> {
    let tenant = row.tenant.as_deref().filter(|tenant| *tenant != EVERY_TENANT);
    let rule = AccessRule {
        methods: parse_methods(&row.method.into_vec())?,
        path: row.path.parse().map_err(|error: tillgate_http::InvalidPathPattern| ("path", error.to_string()))?,
        mounts: check_mounts(row.mount.into_vec(), mounts)?,
        tenant: tenant.map(Slug::parse).transpose().map_err(|error| ("tenant", error.to_string()))?,
        requirement: parse_need(row.role, row.rights)?,
    };
    if let (None, Some(several)) = (&row.tenant, describe_several_tenants(&rule.mounts, mounts)) {
        return Err(("tenant", format!("is missing, and {several}: set one tenant, or \"*\" for all")));
    }
    let served = mounts.iter().map(|mount| (mount.dialect.as_str(), mount.tenant.as_ref()));
    if rule.has_matching_mount(served.chain([(NATIVE_MOUNT, None)])) {
        return Ok(rule);
    }
    Err(("tenant", "is served by none of the row's mounts".to_owned()))
}

/// A description of the tenants that the row's mounts serve, if there is more than one.
fn describe_several_tenants(names: &[String], mounts: &[MountConfig]) -> Option<String> {
    let named: Vec<&MountConfig> = mounts.iter().filter(|mount| names.contains(&mount.dialect)).collect();
    let open = named.iter().find(|mount| mount.tenant.is_none()).map(|mount| mount.dialect.as_str());
    if let Some(open) = names.iter().find(|name| *name == NATIVE_MOUNT).map(String::as_str).or(open) {
        return Some(format!("{open:?} serves several tenants"));
    }
    let tenants: BTreeSet<&Slug> = named.iter().filter_map(|mount| mount.tenant.as_ref()).collect();
    let slugs: Vec<&str> = tenants.iter().map(|tenant| tenant.as_str()).collect();
    (slugs.len() > 1).then(|| format!("the row's mounts serve {}", slugs.join(" and ")))
}

/// Parses the methods; empty for `*`.
fn parse_methods(words: &[String]) -> Result<Vec<actix_web::http::Method>, RowError> {
    let wrong = |word: &str| {
        let suggestion = suggestions::did_you_mean(&word.to_ascii_uppercase(), METHODS.iter().copied());
        ("method", format!("{word:?} is neither a method such as \"GET\" nor \"*\" for all{suggestion}"))
    };
    match words {
        [] => Err(wrong("")),
        [every] if every == "*" => Ok(Vec::new()),
        words => {
            let known = |word: &&String| METHODS.contains(&word.as_str());
            let method = |word: &String| Some(word).filter(known).and_then(|word| word.parse().ok());
            words.iter().map(|word| method(word).ok_or_else(|| wrong(word))).collect()
        }
    }
}

fn check_mounts(names: Vec<String>, mounts: &[MountConfig]) -> Result<Vec<String>, RowError> {
    let mut mounted: Vec<&str> = mounts.iter().map(|mount| mount.dialect.as_str()).chain([NATIVE_MOUNT]).collect();
    mounted.dedup();
    match names.iter().find(|name| !mounted.contains(&name.as_str())) {
        Some(name) => Err(("mount", format!("{name:?} is not mounted; the mounts are {}", mounted.join(", ")))),
        None if names.is_empty() => Err(("mount", "is empty: list at least one mount".to_owned())),
        None => Ok(names),
    }
}

fn parse_need(role: Option<String>, rights: Option<Vec<String>>) -> Result<AccessRequirement, RowError> {
    match (role, rights) {
        (Some(role), None) => match Rank::ALL.into_iter().find(|rank| rank.name() == role) {
            Some(rank) => Ok(AccessRequirement::Role(rank)),
            None => {
                Err(("role", format!("{role:?} must be cashier, manager or admin; use rights instead of other roles")))
            }
        },
        (None, Some(rights)) if !rights.is_empty() => {
            let right = |name: &String| Right::parse(name).map_err(|error| ("rights", format!("{name:?}: {error}")));
            Ok(AccessRequirement::Rights(rights.iter().map(right).collect::<Result<_, _>>()?))
        }
        (None, Some(_)) => Err(("rights", "is empty: list at least one right".to_owned())),
        (Some(_), Some(_)) => Err(("rights", "cannot be combined with role: a row requires one of the two".to_owned())),
        (None, None) => Err(("role", "is missing: a row requires a role or rights".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read_settings as settings;

    fn error_text(text: &str) -> String {
        settings("t.toml", text, &[]).unwrap_err().to_string()
    }

    #[test]
    fn rows_are_read_in_order() {
        let text = r#"
            [[access]]
            method = ["GET", "POST"]
            path = "/api/v1/products/*"
            mount = "kasir"
            role = "cashier"

            [[access]]
            method = "*"
            path = "/tickets/{id}"
            mount = ["native", "portos"]
            tenant = "default"
            rights = ["ticketCreate", "ticketClose"]
        "#;
        let rules = settings("t.toml", text, &[]).unwrap().access;
        assert_eq!(rules.len(), 2);
        assert_eq!((rules[0].methods.len(), rules[0].path.to_string()), (2, "/api/v1/products/*".to_owned()));
        assert_eq!(
            (rules[1].methods.len(), rules[1].mounts.clone()),
            (0, vec!["native".to_owned(), "portos".to_owned()])
        );
    }

    #[test]
    fn row_error_names_its_key_and_number() {
        let good = [("method", "\"GET\""), ("path", "\"/a\""), ("mount", "\"kasir\""), ("role", "\"cashier\"")];
        let row = |key: &str, value: &str| {
            let others = good.into_iter().filter(|(name, _)| *name != key);
            let lines = others.chain([(key, value)]).filter(|(_, value)| !value.is_empty());
            lines.fold("[[access]]\n".to_owned(), |text, (key, value)| format!("{text}{key} = {value}\n"))
        };
        let first = row("path", "\"/b\"");
        assert!(settings("t.toml", &first, &[]).is_ok(), "{first}");
        for (key, value, expected) in [
            ("path", "\"a\"", "access.path (number 2)"),
            ("path", "\"/a/*/b\"", "access.path (number 2)"),
            ("path", "\"/a?b\"", "access.path (number 2)"),
            ("path", "", "access (number 2)"),
            ("path", "1", "access (number 2)"),
            ("method", "\"get\"", "did you mean \"GET\"?"),
            ("method", "\"GTE\"", "did you mean \"GET\"?"),
            ("method", "\"BREW\"", "access.method (number 2)"),
            ("method", "\"\"", "access.method (number 2)"),
            ("method", "[]", "access.method (number 2)"),
            ("method", "[\"GET\", \"*\"]", "access.method (number 2)"),
            ("method", "{}", "access (number 2)"),
            ("mount", "\"telex\"", "access.mount (number 2)"),
            ("mount", "[]", "access.mount (number 2)"),
            ("role", "\"boss\"", "access.role (number 2)"),
            ("role", "", "access.role (number 2)"),
            ("rights", "[\"ticketCreate\"]", "access.rights (number 2)"),
            ("tenant", "\"A B\"", "access.tenant (number 2)"),
            ("tenant", "\"other\"", "access.tenant (number 2)"),
            ("mount", "\"native\"", "access.tenant (number 2)"),
            ("mount", "[\"kasir\", \"native\"]", "access.tenant (number 2)"),
            ("hots", "\"x\"", "hots"),
        ] {
            let error = error_text(&format!("{first}{}", row(key, value)));
            assert!(error.contains(expected) && error.contains("t.toml"), "{key} = {value}: {error}");
        }
        for rights in ["[]", "[\"ticket create\"]"] {
            let text = row("role", "") + &format!("rights = {rights}\n");
            assert!(error_text(&text).contains("access.rights (number 1)"), "{rights}");
        }
        assert!(error_text("access = 1\n").contains("access"));
        let native = row("mount", "\"native\"");
        for tenant in ["default", "*"] {
            assert!(settings("t.toml", &format!("{native}tenant = \"{tenant}\"\n"), &[]).is_ok(), "{tenant}");
        }
        let open = "[[mounts]]\ndialect = \"kasir\"\nprefix = \"/kasir\"\n";
        assert!(error_text(&format!("{first}{open}")).contains("access.tenant (number 1)"), "a mount without a tenant");
        let of = |dialect: &str, prefix: &str, tenant: &str| {
            format!("[[mounts]]\ndialect = \"{dialect}\"\nprefix = \"/{prefix}\"\ntenant = \"{tenant}\"\n")
        };
        let two = of("kasir", "one", "bakery") + &of("kasir", "two", "cafe");
        let error = error_text(&format!("{first}{two}"));
        assert!(error.contains("bakery and cafe"), "two mounts of one dialect: {error}");
        let two = of("kasir", "one", "bakery") + &of("portos", "two", "cafe");
        let both = row("mount", "[\"kasir\", \"portos\"]");
        assert!(error_text(&format!("{both}{two}")).contains("bakery and cafe"), "mounts of two dialects");
        assert!(settings("t.toml", &format!("{both}tenant = \"*\"\n{two}"), &[]).is_ok());
        assert!(settings("t.toml", &format!("{first}{two}"), &[]).is_ok(), "the row names one of them");
    }
}
