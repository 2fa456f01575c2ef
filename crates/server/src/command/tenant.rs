//! `tenant`: the vendor itself, from the command line.

use clap::Subcommand;
use tillgate_domain::office::{self, TenantChange};
use tillgate_domain::{Locale, Zone};

use super::office::{Office, done};
use super::{Context, Stop, print, show};

/// What is done with a tenant: the one that `--tenant` names.
#[derive(Debug, Subcommand)]
pub(crate) enum Tenant {
    /// Show it
    Show,
    /// Change it
    Set {
        /// The name that people read
        #[arg(long)]
        name: Option<String>,
        /// The time zone in which its days begin, such as Europe/Bratislava
        #[arg(long, value_parser = zone)]
        zone: Option<Zone>,
        /// The language of its people, such as sk-SK
        #[arg(long, value_parser = locale)]
        locale: Option<Locale>,
    },
}

impl Tenant {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let office = Office::open(context)?;
        let tenant = match self {
            Self::Show => office.tenant.clone(),
            Self::Set { name, zone, locale } => {
                let change = TenantChange {
                    name: name.clone(),
                    zone: zone.clone(),
                    locale: locale.clone(),
                    ..TenantChange::default()
                };
                if change == TenantChange::default() {
                    return Err(Stop::usage("say what is to change: --name, --zone or --locale"));
                }
                done(office::change_tenant(office.store(), &office.draw.stamp()?, office.id(), None, &change))?
            }
        };
        let line = format!("{}: {}, {}, {}", tenant.slug, tenant.name, tenant.zone.name(), tenant.locale.as_str());
        print::answer(context.json, &line, &show::tenant(&tenant));
        Ok(())
    }
}

fn zone(text: &str) -> Result<Zone, String> {
    Zone::parse(text).map_err(|error| error.to_string())
}

fn locale(text: &str) -> Result<Locale, String> {
    Locale::parse(text).map_err(|error| error.to_string())
}
