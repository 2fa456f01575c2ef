//! `access`: what gateways are answered by the access table of the configuration.

use clap::Subcommand;
use serde_json::json;
use tillgate_domain::{Rank, Right, Rights};
use tillgate_http::{AccessRule, Need};

use super::{Context, Stop, pairs, print};
use crate::compose;

/// What is done with the access table.
#[derive(Debug, Subcommand)]
pub(crate) enum Access {
    /// Say whether the table lets a request through, and by which row; exit code 1: it does not
    Check {
        /// The method of the request
        method: String,
        /// Its path, as a client sends it
        path: String,
        /// The contract whose token it bears: native, portos, kasir, fiuu, posstar or krmpesan
        #[arg(long, value_name = "NAME")]
        mount: String,
        /// The built-in role of who sends it: cashier, manager or admin
        #[arg(long, value_parser = rank)]
        role: Option<Rank>,
        /// A right that they hold besides those of the role
        #[arg(long = "right", value_parser = pairs::right)]
        rights: Vec<Right>,
    },
}

impl Access {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let Self::Check { method, path, mount, role, rights } = self;
        let settings = context.settings(|_| ())?;
        let mounts = compose::mounts(&settings)?;
        if mount != "native" && !settings.mounts.iter().any(|each| each.dialect == *mount) {
            let known = settings.mounts.iter().map(|each| each.dialect.as_str()).chain(["native"]);
            return Err(Stop::usage(format!("no mount is named \"{mount}\"{}", crate::near::is_it(mount, known))));
        }
        drop(mounts);
        let method = method.parse().map_err(|_| Stop::usage(format!("\"{method}\" is no method")))?;
        let rights: Rights = role.map(Rank::rights).unwrap_or_default().iter().chain(rights.iter().cloned()).collect();
        let Some((number, row)) = AccessRule::decisive(&settings.access, &method, path) else {
            return Err(Stop::failed(format!("no: no row of the {} is for {method} {path}", settings.access.len())));
        };
        let refused = |why: String| Err(Stop::failed(format!("no, by row {number} ({}): {why}", row.path)));
        if !row.mounts.contains(mount) {
            return refused(format!("it takes tokens of {}", row.mounts.join(", ")));
        }
        if let Some(tenant) = row.tenant.as_ref().filter(|tenant| **tenant != context.tenant) {
            return refused(format!("it takes tokens of the tenant {tenant}"));
        }
        if !row.need.is_met(*role, &rights) {
            return refused(match &row.need {
                Need::Role(least) => format!("it asks for the role {} or a higher one", least.name()),
                Need::Rights(needed) => {
                    let missing: Vec<&str> =
                        needed.iter().filter(|right| !rights.allow(*right)).map(Right::as_str).collect();
                    format!("it asks for {}", missing.join(", "))
                }
            });
        }
        print::answer(
            context.json,
            &format!("yes, by row {number} ({})", row.path),
            &json!({ "allowed": true, "row": number, "path": row.path.to_string() }),
        );
        Ok(())
    }
}

fn rank(text: &str) -> Result<Rank, String> {
    let names = Rank::ALL.map(Rank::name);
    let found = Rank::ALL.into_iter().find(|rank| rank.name() == text);
    found.ok_or_else(|| format!("the built-in roles are {}{}", names.join(", "), crate::near::is_it(text, names)))
}
