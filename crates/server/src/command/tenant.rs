//! `tenant`: the vendors, from the command line.

use clap::{Args, Subcommand};
use tillgate_domain::office::{self, LimitsChange, NewTenant, TenantChange};
use tillgate_domain::{Branch, BranchId, Locale, RoleId, Slug, Tenant as Vendor, TenantId, Zone};

use super::office::{CommandOffice, check_decided};
use super::parse::{self, LimitArg};
use super::{CommandError, Context, json, print};
use crate::composition;
use crate::ids::IdSource;

/// What is done with tenants. `show` and `set` are about the one that `--tenant` names.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Add a tenant, with its first store and its built-in roles
    Add {
        /// Its short name, for configuration and logins
        #[arg(value_parser = parse::slug)]
        slug: Slug,
        /// The name that people read; without it, the short name
        #[arg(long)]
        name: Option<String>,
        /// The time zone in which its days begin, such as Europe/Bratislava
        #[arg(long, value_parser = parse_zone, default_value = "UTC")]
        zone: Zone,
        /// The language of its people, such as sk-SK
        #[arg(long, value_parser = parse_locale, default_value = "en")]
        locale: Locale,
        /// The name of its first store
        #[arg(long, default_value = "Main store")]
        store: String,
    },
    /// List tenants
    List,
    /// Show it
    Show,
    /// Change it
    Set(SetArgs),
}

/// What becomes of a tenant.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The name that people read
    #[arg(long)]
    name: Option<String>,
    /// The time zone in which its days begin, such as Europe/Bratislava
    #[arg(long, value_parser = parse_zone)]
    zone: Option<Zone>,
    /// The language of its people, such as sk-SK
    #[arg(long, value_parser = parse_locale)]
    locale: Option<Locale>,
    /// How long its access tokens are good at most, such as 5m; none for what the configuration says
    #[arg(long, value_name = "SPAN", value_parser = parse::session_limit)]
    access: Option<LimitArg>,
    /// How long its sessions live after their last refresh at most, such as 12h; none for what the configuration says
    #[arg(long, value_name = "SPAN", value_parser = parse::session_limit)]
    idle: Option<LimitArg>,
    /// How long its sessions live in all at most, such as 7d; none for what the configuration says
    #[arg(long, value_name = "SPAN", value_parser = parse::session_limit)]
    absolute: Option<LimitArg>,
    /// How long its refresh tokens are answered again at most, such as 60s; none for what the configuration says
    #[arg(long, value_name = "SPAN", value_parser = parse::session_limit)]
    overlap: Option<LimitArg>,
}

impl TenantCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let tenant = match self {
            Self::Add { slug, name, zone, locale, store } => {
                let settings = context.settings(|_| ())?;
                let database = composition::open_existing_database(&settings)?;
                let draw = IdSource::default();
                let new = NewTenant {
                    id: draw.new_id(TenantId::new)?,
                    slug: slug.clone(),
                    name: name.clone().unwrap_or_else(|| slug.to_string()),
                    zone: zone.clone(),
                    locale: locale.clone(),
                    branch: Branch { id: draw.new_id(BranchId::new)?, name: store.clone() },
                    roles: [draw.new_id(RoleId::new)?, draw.new_id(RoleId::new)?, draw.new_id(RoleId::new)?],
                };
                check_decided(office::add_tenant(&*database, &draw.audit_context()?, &new))?
            }
            Self::List => return print_tenants(context),
            Self::Show => CommandOffice::open(context)?.tenant,
            Self::Set(set) => set.run(&CommandOffice::open(context)?)?,
        };
        print::print_answer(context.json, &tenant_line(&tenant), &json::tenant_json(&tenant));
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
            limits: LimitsChange {
                access: span(self.access),
                idle: span(self.idle),
                absolute: span(self.absolute),
                overlap: span(self.overlap),
            },
        };
        if change == TenantChange::default() {
            let flags = "--name, --zone, --locale, --access, --idle, --absolute or --overlap";
            return Err(CommandError::usage(format!("say what is to change: {flags}")));
        }
        let given = composition::build_mounts(&office.settings)?.longest_session_limits(&office.tenant.slug);
        check_decided(office::change_tenant(
            office.store(),
            &office.ids.audit_context()?,
            office.tenant_id(),
            None,
            &change,
            &given,
        ))
    }
}

fn print_tenants(context: &Context) -> Result<(), CommandError> {
    let settings = context.settings(|_| ())?;
    let database = composition::open_existing_database(&settings)?;
    let tenants = office::collect_pages(None, |page| office::list_tenants(&*database, page), |tenant| tenant.id)
        .map_err(CommandError::failed)?;
    let row = |tenant: &Vendor| {
        let cells = [
            tenant.slug.to_string(),
            tenant.name.clone(),
            tenant.zone.name().to_owned(),
            tenant.locale.as_str().to_owned(),
            tenant.branches.len().to_string(),
        ];
        (cells.to_vec(), json::tenant_json(tenant))
    };
    print::print_table(
        context.json,
        &["SLUG", "NAME", "ZONE", "LOCALE", "STORES"],
        &tenants.iter().map(row).collect::<Vec<_>>(),
    );
    Ok(())
}

fn tenant_line(tenant: &Vendor) -> String {
    let limits = &tenant.limits;
    let spans =
        [("access", limits.access), ("idle", limits.idle), ("absolute", limits.absolute), ("overlap", limits.overlap)];
    let spans = spans.into_iter().filter_map(|(name, span)| Some(format!(", {name} {}", json::format_span(span?))));
    let (zone, locale) = (tenant.zone.name(), tenant.locale.as_str());
    format!("{}: {}, {zone}, {locale}{}", tenant.slug, tenant.name, spans.collect::<String>())
}

fn parse_zone(text: &str) -> Result<Zone, String> {
    Zone::parse(text).map_err(|error| error.to_string())
}

fn parse_locale(text: &str) -> Result<Locale, String> {
    Locale::parse(text).map_err(|error| error.to_string())
}
