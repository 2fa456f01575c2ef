//! `tenant`: the vendors, from the command line.

use clap::{Args, Subcommand};
use tillgate_domain::office::{self, LimitsChange, NewTenant, TenantChange};
use tillgate_domain::{Branch, BranchId, Locale, RoleId, Slug, Tenant as Vendor, TenantId, Zone};

use super::office::{Office, done};
use super::pairs::{self, Limit};
use super::{Context, Stop, print, show};
use crate::compose;
use crate::draw::Draw;

/// What is done with tenants. `show` and `set` are about the one that `--tenant` names.
#[derive(Debug, Subcommand)]
pub(crate) enum Tenant {
    /// Add a tenant, with its first store and its built-in roles
    Add {
        /// Its short name, for configuration and logins
        #[arg(value_parser = pairs::slug)]
        slug: Slug,
        /// The name that people read; without it, the short name
        #[arg(long)]
        name: Option<String>,
        /// The time zone in which its days begin, such as Europe/Bratislava
        #[arg(long, value_parser = zone, default_value = "UTC")]
        zone: Zone,
        /// The language of its people, such as sk-SK
        #[arg(long, value_parser = locale, default_value = "en")]
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
    Set(Set),
}

/// What becomes of a tenant.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The name that people read
    #[arg(long)]
    name: Option<String>,
    /// The time zone in which its days begin, such as Europe/Bratislava
    #[arg(long, value_parser = zone)]
    zone: Option<Zone>,
    /// The language of its people, such as sk-SK
    #[arg(long, value_parser = locale)]
    locale: Option<Locale>,
    /// How long its access tokens are good at most, such as 5m; none for what the configuration says
    #[arg(long, value_name = "SPAN", value_parser = pairs::limit)]
    access: Option<Limit>,
    /// How long its sessions live after their last refresh at most, such as 12h; none for what the configuration says
    #[arg(long, value_name = "SPAN", value_parser = pairs::limit)]
    idle: Option<Limit>,
    /// How long its sessions live in all at most, such as 7d; none for what the configuration says
    #[arg(long, value_name = "SPAN", value_parser = pairs::limit)]
    absolute: Option<Limit>,
    /// How long its refresh tokens are answered again at most, such as 60s; none for what the configuration says
    #[arg(long, value_name = "SPAN", value_parser = pairs::limit)]
    overlap: Option<Limit>,
}

impl Tenant {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let tenant = match self {
            Self::Add { slug, name, zone, locale, store } => {
                let settings = context.settings(|_| ())?;
                let database = compose::open_existing(&settings)?;
                let draw = Draw::default();
                let new = NewTenant {
                    id: draw.id(TenantId::new)?,
                    slug: slug.clone(),
                    name: name.clone().unwrap_or_else(|| slug.to_string()),
                    zone: zone.clone(),
                    locale: locale.clone(),
                    branch: Branch { id: draw.id(BranchId::new)?, name: store.clone() },
                    roles: [draw.id(RoleId::new)?, draw.id(RoleId::new)?, draw.id(RoleId::new)?],
                };
                done(office::add_tenant(&*database, &draw.stamp()?, &new))?
            }
            Self::List => return list(context),
            Self::Show => Office::open(context)?.tenant,
            Self::Set(set) => set.run(&Office::open(context)?)?,
        };
        print::answer(context.json, &line(&tenant), &show::tenant(&tenant));
        Ok(())
    }
}

impl Set {
    fn run(&self, office: &Office) -> Result<Vendor, Stop> {
        let span = |limit: Option<Limit>| limit.map(|limit| limit.0);
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
            return Err(Stop::usage(format!("say what is to change: {flags}")));
        }
        let given = compose::mounts(&office.settings)?.longest(&office.tenant.slug);
        done(office::change_tenant(office.store(), &office.draw.stamp()?, office.id(), None, &change, &given))
    }
}

fn list(context: &Context) -> Result<(), Stop> {
    let settings = context.settings(|_| ())?;
    let database = compose::open_existing(&settings)?;
    let tenants =
        office::all(None, |page| office::list_tenants(&*database, page), |tenant| tenant.id).map_err(Stop::failed)?;
    let row = |tenant: &Vendor| {
        let cells = [
            tenant.slug.to_string(),
            tenant.name.clone(),
            tenant.zone.name().to_owned(),
            tenant.locale.as_str().to_owned(),
            tenant.branches.len().to_string(),
        ];
        (cells.to_vec(), show::tenant(tenant))
    };
    print::table(
        context.json,
        &["SLUG", "NAME", "ZONE", "LOCALE", "STORES"],
        &tenants.iter().map(row).collect::<Vec<_>>(),
    );
    Ok(())
}

fn line(tenant: &Vendor) -> String {
    let limits = &tenant.limits;
    let spans =
        [("access", limits.access), ("idle", limits.idle), ("absolute", limits.absolute), ("overlap", limits.overlap)];
    let spans = spans.into_iter().filter_map(|(name, span)| Some(format!(", {name} {}", show::span(span?))));
    let (zone, locale) = (tenant.zone.name(), tenant.locale.as_str());
    format!("{}: {}, {zone}, {locale}{}", tenant.slug, tenant.name, spans.collect::<String>())
}

fn zone(text: &str) -> Result<Zone, String> {
    Zone::parse(text).map_err(|error| error.to_string())
}

fn locale(text: &str) -> Result<Locale, String> {
    Locale::parse(text).map_err(|error| error.to_string())
}
