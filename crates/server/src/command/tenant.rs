//! `tenant`: manages tenants.

use std::time::Duration;

use clap::{Args, Subcommand};
use tillgate_domain::office::{self, LimitsChange, NewTenant, TenantChange};
use tillgate_domain::{Branch, BranchId, Locale, RoleId, Slug, Tenant as Vendor, TenantId, Zone};

use super::json::TenantWithStores;
use super::limit_args::LimitArgs;
use super::office::{CommandOffice, check_decided};
use super::parse::{self, AccentColorArg, LimitArg};
use super::{CommandError, Context, json, print};
use crate::composition;
use crate::ids::IdSource;

/// The subcommands of `tenant`. `show` and `set` apply to the tenant given by `--tenant`.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Add a tenant, with its first store and its built-in roles
    #[command(after_help = "Example:\n  tillgate tenant add bakery --zone Europe/Bratislava --locale sk-SK")]
    Add {
        /// Short name of the tenant, used in the configuration and at login
        #[arg(value_parser = parse::slug)]
        slug: Slug,
        /// Display name [default: the short name]
        #[arg(long)]
        name: Option<String>,
        /// Time zone in which the tenant's days begin, such as Europe/Bratislava
        #[arg(long, value_parser = parse::zone, default_value = "UTC")]
        zone: Zone,
        /// Language of the tenant, such as sk-SK
        #[arg(long, value_parser = parse_locale, default_value = "en")]
        locale: Locale,
        /// Name of the first store
        #[arg(long, default_value = "Main store")]
        store: String,
    },
    /// List tenants
    #[command(after_help = "Example:\n  tillgate tenant list")]
    List {
        #[command(flatten)]
        limit: LimitArgs,
    },
    /// Show the tenant
    #[command(after_help = "Example:\n  tillgate tenant show --tenant bakery")]
    Show,
    /// Change the tenant
    #[command(after_help = "Example:\n  tillgate tenant set --access 5m --idle 12h --tenant bakery")]
    Set(SetArgs),
}

/// The arguments of `tenant set`.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// New display name
    #[arg(long)]
    name: Option<String>,
    /// Time zone in which the tenant's days begin, such as Europe/Bratislava
    #[arg(long, value_parser = parse::zone)]
    zone: Option<Zone>,
    /// Language of the tenant, such as sk-SK
    #[arg(long, value_parser = parse_locale)]
    locale: Option<Locale>,
    /// Color of the tenant's pages, such as #0b6b5e; none: the default
    #[arg(long, value_name = "COLOR", value_parser = parse::accent_color)]
    accent_color: Option<AccentColorArg>,
    /// Whether machines that show a code themselves can be accepted
    #[arg(long, value_name = "YES")]
    machine_codes: Option<bool>,
    /// Maximum lifetime of access tokens, such as 5m; none: no limit beyond the configuration
    #[arg(long, value_name = "DURATION", value_parser = parse::session_limit)]
    access: Option<LimitArg>,
    /// Maximum idle timeout of sessions, such as 12h; none: no limit beyond the configuration
    #[arg(long, value_name = "DURATION", value_parser = parse::session_limit)]
    idle: Option<LimitArg>,
    /// Maximum absolute timeout of sessions, such as 7d; none: no limit beyond the configuration
    #[arg(long, value_name = "DURATION", value_parser = parse::session_limit)]
    absolute: Option<LimitArg>,
    /// Maximum grace period for refresh tokens, such as 60s; none: no limit beyond the
    /// configuration
    #[arg(long, value_name = "DURATION", value_parser = parse::session_limit)]
    overlap: Option<LimitArg>,
}

impl TenantCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let tenant = match self {
            Self::Add { slug, name, zone, locale, store } => {
                let settings = context.settings(|_| ())?;
                let database = context.open_database(&settings)?;
                let ids = IdSource::default();
                let new = NewTenant {
                    id: ids.new_id(TenantId::new)?,
                    slug: slug.clone(),
                    name: name.clone().unwrap_or_else(|| slug.to_string()),
                    zone: zone.clone(),
                    locale: locale.clone(),
                    branch: Branch { id: ids.new_id(BranchId::new)?, name: store.clone(), zone: None },
                    roles: [ids.new_id(RoleId::new)?, ids.new_id(RoleId::new)?, ids.new_id(RoleId::new)?],
                };
                check_decided(office::add_tenant(&*database, &ids.audit_context()?, &new))?
            }
            Self::List { limit } => return print_tenants(context, *limit),
            Self::Show => {
                show_tenant(&CommandOffice::open(context)?.tenant, context.json);
                return Ok(());
            }
            Self::Set(set) => set.run(&CommandOffice::open(context)?)?,
        };
        print::print_result(context.json, &tenant_line(&tenant), &TenantWithStores::from_tenant(&tenant));
        Ok(())
    }
}

impl SetArgs {
    fn run(&self, office: &CommandOffice) -> Result<Vendor, CommandError> {
        let span = |limit: Option<LimitArg>| limit.map(|limit| limit.0);
        let change = TenantChange {
            name: self.name.clone(),
            zone: self.zone.clone(),
            locale: self.locale.clone(),
            accent_color: self.accent_color.map(|color| color.0),
            machine_codes: self.machine_codes,
            limits: LimitsChange {
                access: span(self.access),
                idle: span(self.idle),
                absolute: span(self.absolute),
                overlap: span(self.overlap),
            },
        };
        if change == TenantChange::default() {
            let flags =
                "--name, --zone, --locale, --accent-color, --machine-codes, --access, --idle, --absolute or --overlap";
            return Err(CommandError::usage(format!("nothing to change: use {flags}")));
        }
        let maximum = composition::build_mounts(&office.settings)?.longest_session_limits(&office.tenant.slug);
        check_decided(office.for_operator()?.change_tenant(None, &change, &maximum))
    }
}

fn print_tenants(context: &Context, limit: LimitArgs) -> Result<(), CommandError> {
    let settings = context.settings(|_| ())?;
    let database = composition::open_existing_database(&settings)?;
    let tenants =
        office::collect_pages(None, |page| office::unguarded::list_tenants(&*database, page), |tenant| tenant.id)
            .map_err(CommandError::failed)?;
    let row = |tenant: &Vendor| {
        vec![
            tenant.slug.to_string(),
            tenant.name.clone(),
            tenant.zone.name().to_owned(),
            tenant.locale.as_str().to_owned(),
            tenant.branches.len().to_string(),
        ]
    };
    limit.print_table(
        context.json,
        &["SLUG", "NAME", "ZONE", "LOCALE", "STORES"],
        &tenants.iter().map(|tenant| (row(tenant), TenantWithStores::from_tenant(tenant))).collect::<Vec<_>>(),
    );
    Ok(())
}

fn show_tenant(tenant: &Vendor, json: bool) {
    if json {
        print::print_result(true, "", &TenantWithStores::from_tenant(tenant));
        return;
    }
    let stores: Vec<&str> = tenant.branches.iter().map(|store| store.name.as_str()).collect();
    let mut rows = vec![
        ("slug", tenant.slug.to_string()),
        ("name", tenant.name.clone()),
        ("zone", tenant.zone.name().to_owned()),
        ("language", tenant.locale.as_str().to_owned()),
        ("accent color", tenant.accent_color.map_or_else(|| "the default".to_owned(), |color| color.to_string())),
        ("machine codes", if tenant.machine_codes { "accepted" } else { "not accepted" }.to_owned()),
        ("stores", stores.join(",")),
    ];
    rows.extend(limits(tenant).map(|(name, span)| {
        (
            name,
            span.map_or_else(
                || "that of the configuration".to_owned(),
                |span| format!("at most {}", json::format_span(span)),
            ),
        )
    }));
    rows.push(("created", json::format_instant(tenant.created_at)));
    rows.push(("id", tenant.id.to_string()));
    print::print_fields(&rows);
}

/// The limits that the tenant sets for its sessions, with the names of their arguments.
fn limits(tenant: &Vendor) -> [(&'static str, Option<Duration>); 4] {
    let limits = &tenant.limits;
    [("access", limits.access), ("idle", limits.idle), ("absolute", limits.absolute), ("overlap", limits.overlap)]
}

fn tenant_line(tenant: &Vendor) -> String {
    let spans =
        limits(tenant).into_iter().filter_map(|(name, span)| Some(format!(", {name} {}", json::format_span(span?))));
    let (zone, locale) = (tenant.zone.name(), tenant.locale.as_str());
    let color = tenant.accent_color.map(|color| format!(", {color}")).unwrap_or_default();
    format!("{}: {}, {zone}, {locale}{color}{}", tenant.slug, tenant.name, spans.collect::<String>())
}

fn parse_locale(text: &str) -> Result<Locale, String> {
    Locale::parse(text).map_err(|error| error.to_string())
}
