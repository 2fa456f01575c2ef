//! `access`: evaluates the access table of the configuration for one request.

use clap::Subcommand;
use serde_json::json;
use tillgate_domain::{Rank, Right, Rights};
use tillgate_http::{AccessRequirement, AccessRule};

use super::argument_errors::ArgumentErrors;
use super::{CommandError, Context, parse, print};
use crate::composition;

/// The subcommands of `access`.
#[derive(Debug, Subcommand)]
pub(crate) enum AccessCommand {
    /// Report whether the table allows a request and which row decided; exit code 1 if it is denied
    #[command(after_help = "Example:\n  tillgate access check GET /api/v1/products --mount kasir --role cashier")]
    Check {
        /// Request method
        method: String,
        /// Request path, as a client sends it
        path: String,
        /// Dialect whose token the request carries: native, portos, kasir, fiuu, posstar or
        /// krmpesan
        #[arg(long, value_name = "NAME")]
        mount: String,
        /// Built-in role of the caller
        #[arg(long, value_parser = parse::one_of(&Rank::ALL, Rank::name))]
        role: Option<Rank>,
        /// Right of the caller in addition to those of the role
        #[arg(long = "right", value_parser = parse::right)]
        rights: Vec<Right>,
    },
}

impl AccessCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let Self::Check { method, path, mount, role, rights } = self;
        let settings = context.settings(|_| ())?;
        let mounts = composition::build_mounts(&settings)?;
        let known = settings.list_mount_names();
        let is_known = known.contains(&mount.as_str()).then_some(()).ok_or_else(|| {
            let near = crate::suggestions::did_you_mean(mount, known);
            CommandError::usage(format!("no mount is named \"{mount}\"{near}"))
        });
        drop(mounts);
        let sent = method.parse().map_err(|_| CommandError::usage(format!("\"{method}\" is not an HTTP method")));
        ArgumentErrors::default().with(&is_known).with(&sent).report()?;
        let method = sent?;
        let rights: Rights = role.map(Rank::rights).unwrap_or_default().iter().chain(rights.iter().cloned()).collect();
        let Some((number, row)) = AccessRule::find_match(&settings.access, &method, path) else {
            return Err(CommandError::failed(format!(
                "denied: none of the {} rows matches {method} {path}",
                settings.access.len()
            )));
        };
        let refused = |why: String| Err(CommandError::failed(format!("denied by row {number} ({}): {why}", row.path)));
        if !row.mounts.contains(mount) {
            return refused(format!("it accepts tokens of {}", row.mounts.join(", ")));
        }
        if let Some(tenant) = row.tenant.as_ref().filter(|tenant| **tenant != context.tenant) {
            return refused(format!("it accepts tokens of the tenant \"{tenant}\""));
        }
        if row.requirement.check(*role, &rights).is_err() {
            return refused(match &row.requirement {
                AccessRequirement::Role(least) => format!("it requires the role {} or higher", least.name()),
                AccessRequirement::Rights(needed) => {
                    let missing: Vec<&str> =
                        needed.iter().filter(|right| rights.require(*right).is_err()).map(Right::as_str).collect();
                    format!("it requires {}", missing.join(", "))
                }
            });
        }
        print::print_result(
            context.json,
            &format!("allowed by row {number} ({})", row.path),
            &json!({ "allowed": true, "row": number, "path": row.path.to_string() }),
        );
        Ok(())
    }
}
