//! `session`: who is logged in where, and an end to it.

use clap::{Args, Subcommand};
use serde_json::json;
use tillgate_auth_core::ports::{AuthPorts, SessionFilter, SessionView};
use tillgate_auth_core::session::SessionKind;
use tillgate_domain::office::{self, PageRequest, SessionTarget};
use tillgate_domain::{DeviceName, SessionId, Store, StoreExt, UserName};

use super::confirmation::{Confirmation, count_text};
use super::json::{self, format_instant};
use super::office::{CommandOffice, check_decided};
use super::{CommandError, Context, parse, print};
use crate::composition;

/// What is done with sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// List the sessions that are live
    List(SessionListArgs),
    /// End one session, or all of a user, on a device or of everyone
    End(EndArgs),
}

/// The filters of `session list`.
#[derive(Debug, Args)]
pub(crate) struct SessionListArgs {
    /// Those that are over too
    #[arg(long)]
    all: bool,
    /// Of this user
    #[arg(long, value_name = "NAME", value_parser = parse::user)]
    user: Option<UserName>,
    /// On this device
    #[arg(long, value_name = "NAME", value_parser = parse::device)]
    device: Option<DeviceName>,
    /// The maximum number of rows
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

/// Which sessions to end.
#[derive(Debug, Args)]
pub(crate) struct EndArgs {
    #[command(flatten)]
    selection: SessionSelection,
    #[command(flatten)]
    confirmation: Confirmation,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct SessionSelection {
    /// The session
    id: Option<SessionId>,
    /// Every session of this user, permanent ones too
    #[arg(long, value_name = "NAME", value_parser = parse::user)]
    user: Option<UserName>,
    /// Every session on this device, permanent ones too
    #[arg(long, value_name = "NAME", value_parser = parse::device)]
    device: Option<DeviceName>,
    /// Every session of the tenant, permanent ones too; asks before
    #[arg(long)]
    everyone: bool,
}

impl SessionCommand {
    pub(super) fn run(&self, context: &Context) -> Result<(), CommandError> {
        let office = CommandOffice::open(context)?;
        match self {
            Self::List(which) => list_sessions(&office, which, context.json),
            Self::End(end) => end.run(&office, context.json),
        }
    }
}

impl EndArgs {
    fn run(&self, office: &CommandOffice, json: bool) -> Result<(), CommandError> {
        let mut filter = live_filter(office);
        let which = &self.selection;
        let whose = match (&which.user, &which.device) {
            (Some(name), _) => {
                let user = office.find_user(name)?.id;
                filter.user = Some(user);
                Some(SessionTarget::User(user))
            }
            (None, Some(name)) => {
                let device = office.find_device(name)?.id;
                filter.device = Some(device);
                Some(SessionTarget::Device(device))
            }
            (None, None) => which.everyone.then_some(SessionTarget::Everyone),
        };
        filter.id = which.id;
        let live = find_sessions(office, &filter)?;
        let number = live.len();
        if let (Some(id), 0) = (which.id, number) {
            return Err(CommandError::failed(format!("there is no live session {id}")));
        }
        if which.everyone {
            let permanent = live.iter().filter(|listed| listed.session.kind == SessionKind::Permanent).count();
            self.confirmation.ask(&format!(
                "This ends {} of the tenant \"{}\", {permanent} of them permanent: everybody logs in again, and permanent tokens have to \
                 be made again on each device",
                count_text(number, "session"),
                office.tenant.slug
            ))?;
        }
        if let Some(whose) = whose {
            check_decided(office::end_sessions(
                office.store(),
                office.tenant_id(),
                &office.ids.audit_context()?,
                whose,
                true,
            ))?;
        }
        if let Some(id) = which.id {
            let auth = composition::build_command_engine(&office.settings, &office.database)?;
            auth.end_session(id).map_err(CommandError::failed)?;
        }
        print::print_answer(json, &format!("{} ended", count_text(number, "session")), &json!({ "ended": number }));
        Ok(())
    }
}

/// How many live sessions there are, of a user or on a device.
pub(super) fn count_live_sessions(office: &CommandOffice, whose: SessionTarget) -> Result<usize, CommandError> {
    let mut filter = live_filter(office);
    match whose {
        SessionTarget::User(user) => filter.user = Some(user),
        SessionTarget::Device(device) => filter.device = Some(device),
        SessionTarget::Everyone => (),
    }
    Ok(find_sessions(office, &filter)?.len())
}

fn live_filter(office: &CommandOffice) -> SessionFilter {
    SessionFilter { tenant: Some(office.tenant_id()), live: Some((true, office.ids.now())), ..SessionFilter::default() }
}

fn find_sessions(office: &CommandOffice, filter: &SessionFilter) -> Result<Vec<SessionView>, CommandError> {
    let store: &dyn Store<AuthPorts> = &*office.database;
    let part = |page: &PageRequest<SessionId>| store.read(|tx| tx.sessions().list(filter, page.after, page.limit));
    office::collect_pages(None, part, |listed| listed.session.id).map_err(CommandError::failed)
}

fn list_sessions(office: &CommandOffice, which: &SessionListArgs, json: bool) -> Result<(), CommandError> {
    let mut filter = live_filter(office);
    if which.all {
        filter.live = None;
    }
    filter.user = which.user.as_ref().map(|name| office.find_user(name)).transpose()?.map(|user| user.id);
    filter.device = which.device.as_ref().map(|name| office.find_device(name)).transpose()?.map(|device| device.id);
    let row = |listed: &SessionView| {
        let name = |name: Option<String>| name.unwrap_or_else(|| "-".to_owned());
        let session = &listed.session;
        let end = match (session.ended, session.expires_at) {
            (Some((at, why)), _) => format!("{} ({})", format_instant(at), why.name()),
            (None, Some(at)) => format_instant(at),
            (None, None) => "never".to_owned(),
        };
        let cells = [
            session.id.to_string(),
            name(listed.user_name.as_ref().map(ToString::to_string)),
            name(listed.device_name.as_ref().map(ToString::to_string)),
            session.dialect.as_str().to_owned(),
            name(session.last_used_at.map(format_instant)),
            end,
        ];
        (cells.to_vec(), json::session_json(listed))
    };
    let found = find_sessions(office, &filter)?;
    let rows: Vec<_> = found.iter().take(which.limit.unwrap_or(usize::MAX)).map(row).collect();
    print::print_table(json, &["ID", "USER", "DEVICE", "MOUNT", "LAST USED", "ENDS"], &rows);
    print::note_omitted(found.len() - rows.len());
    Ok(())
}
