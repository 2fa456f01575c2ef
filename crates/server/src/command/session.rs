//! `session`: who is logged in where, and an end to it.

use clap::{Args, Subcommand};
use serde_json::json;
use tillgate_auth_core::ports::{AuthView, Listed, SessionFilter};
use tillgate_auth_core::session::SessionKind;
use tillgate_domain::office::{self, Page, Whose};
use tillgate_domain::{DeviceName, SessionId, Store, StoreExt, UserName};

use super::confirm::{Confirmation, counted};
use super::office::{Office, done};
use super::show::{self, instant};
use super::{Context, Stop, pairs, print};
use crate::compose;

/// What is done with sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum Session {
    /// List the sessions that are live
    List(SessionListArgs),
    /// End one session, or all of a user, on a device or of everyone
    End(End),
}

/// The filters of `session list`.
#[derive(Debug, Args)]
pub(crate) struct SessionListArgs {
    /// Those that are over too
    #[arg(long)]
    all: bool,
    /// Of this user
    #[arg(long, value_name = "NAME", value_parser = pairs::user)]
    user: Option<UserName>,
    /// On this device
    #[arg(long, value_name = "NAME", value_parser = pairs::device)]
    device: Option<DeviceName>,
    /// The maximum number of rows
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

/// Which sessions to end.
#[derive(Debug, Args)]
pub(crate) struct End {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    confirmation: Confirmation,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The session
    id: Option<SessionId>,
    /// Every session of this user, permanent ones too
    #[arg(long, value_name = "NAME", value_parser = pairs::user)]
    user: Option<UserName>,
    /// Every session on this device, permanent ones too
    #[arg(long, value_name = "NAME", value_parser = pairs::device)]
    device: Option<DeviceName>,
    /// Every session of the tenant, permanent ones too; asks before
    #[arg(long)]
    everyone: bool,
}

impl Session {
    pub(super) fn run(&self, context: &Context) -> Result<(), Stop> {
        let office = Office::open(context)?;
        match self {
            Self::List(which) => list(&office, which, context.json),
            Self::End(end) => end.run(&office, context.json),
        }
    }
}

impl End {
    fn run(&self, office: &Office, json: bool) -> Result<(), Stop> {
        let mut filter = live(office);
        let which = &self.which;
        let whose = match (&which.user, &which.device) {
            (Some(name), _) => {
                let user = office.user(name)?.id;
                filter.user = Some(user);
                Some(Whose::User(user))
            }
            (None, Some(name)) => {
                let device = office.device(name)?.id;
                filter.device = Some(device);
                Some(Whose::Device(device))
            }
            (None, None) => which.everyone.then_some(Whose::Everyone),
        };
        filter.session = which.id;
        let live = sessions(office, &filter)?;
        let number = live.len();
        if let (Some(id), 0) = (which.id, number) {
            return Err(Stop::failed(format!("there is no live session {id}")));
        }
        if which.everyone {
            let permanent = live.iter().filter(|listed| listed.session.kind == SessionKind::Permanent).count();
            self.confirmation.ask(&format!(
                "This ends {} of the tenant \"{}\", {permanent} of them permanent: everybody logs in again, and permanent tokens have to \
                 be made again on each device",
                counted(number, "session"),
                office.tenant.slug
            ))?;
        }
        if let Some(whose) = whose {
            done(office::end_sessions(office.store(), office.id(), &office.draw.stamp()?, whose, true))?;
        }
        if let Some(id) = which.id {
            let auth = compose::engine_beside(&office.settings, &office.database)?;
            auth.end_session(id).map_err(Stop::failed)?;
        }
        print::answer(json, &format!("{} ended", counted(number, "session")), &json!({ "ended": number }));
        Ok(())
    }
}

/// How many live sessions there are, of a user or on a device.
pub(super) fn count_live(office: &Office, whose: Whose) -> Result<usize, Stop> {
    let mut filter = live(office);
    match whose {
        Whose::User(user) => filter.user = Some(user),
        Whose::Device(device) => filter.device = Some(device),
        Whose::Everyone => (),
    }
    Ok(sessions(office, &filter)?.len())
}

fn live(office: &Office) -> SessionFilter {
    SessionFilter { tenant: Some(office.id()), live: Some((true, office.draw.now())), ..SessionFilter::default() }
}

fn sessions(office: &Office, filter: &SessionFilter) -> Result<Vec<Listed>, Stop> {
    let store: &dyn Store<AuthView> = &*office.database;
    let part = |page: &Page<SessionId>| store.read(|tx| tx.sessions().list(filter, page.after, page.limit));
    office::all(None, part, |listed| listed.session.id).map_err(Stop::failed)
}

fn list(office: &Office, which: &SessionListArgs, json: bool) -> Result<(), Stop> {
    let mut filter = live(office);
    if which.all {
        filter.live = None;
    }
    filter.user = which.user.as_ref().map(|name| office.user(name)).transpose()?.map(|user| user.id);
    filter.device = which.device.as_ref().map(|name| office.device(name)).transpose()?.map(|device| device.id);
    let row = |listed: &Listed| {
        let name = |name: Option<String>| name.unwrap_or_else(|| "-".to_owned());
        let session = &listed.session;
        let end = match (session.ended, session.expires_at) {
            (Some((at, why)), _) => format!("{} ({})", instant(at), why.name()),
            (None, Some(at)) => instant(at),
            (None, None) => "never".to_owned(),
        };
        let cells = [
            session.id.to_string(),
            name(listed.user_name.as_ref().map(ToString::to_string)),
            name(listed.device_name.as_ref().map(ToString::to_string)),
            session.dialect.as_str().to_owned(),
            name(session.last_used_at.map(instant)),
            end,
        ];
        (cells.to_vec(), show::session(listed))
    };
    let found = sessions(office, &filter)?;
    let rows: Vec<_> = found.iter().take(which.limit.unwrap_or(usize::MAX)).map(row).collect();
    print::table(json, &["ID", "USER", "DEVICE", "MOUNT", "LAST USED", "ENDS"], &rows);
    print::left_out(found.len() - rows.len());
    Ok(())
}
