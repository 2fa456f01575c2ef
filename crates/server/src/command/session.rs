//! `session`: lists and ends sessions.

use std::fmt;

use clap::{Args, Subcommand};
use serde_json::json;
use tillgate_auth_core::DialectName;
use tillgate_auth_core::ports::{AuthPorts, SessionCursor, SessionFilter, SessionOrder, SessionView};
use tillgate_auth_core::session::SessionKind;
use tillgate_domain::office::{self, PageRequest, SessionTarget, normalize_search_text};
use tillgate_domain::{Device, DeviceId, DeviceName, Instant, SessionId, Store, StoreExt, UserName};
use tillgate_http::native_bodies::SessionBody;

use super::argument_errors::ArgumentErrors;
use super::confirmation::{ConfirmationArgs, count_text};
use super::json::format_instant;
use super::office::{CommandOffice, check_decided};
use super::store::find_branch;
use super::{CommandError, Context, parse, print};
use crate::composition;
use crate::suggestions::did_you_mean;

/// The subcommands of `session`.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// List live sessions
    #[command(after_help = "Example:\n  tillgate session list --device P01 --all")]
    List(SessionListArgs),
    /// End one session, or all sessions of a user, on a device or of the tenant
    #[command(after_help = "Example:\n  tillgate session end --user anna")]
    End(EndArgs),
}

/// The filters of `session list`.
#[derive(Debug, Args)]
pub(crate) struct SessionListArgs {
    /// Include expired and ended sessions
    #[arg(long)]
    all: bool,
    /// Only sessions of this user
    #[arg(long, value_name = "NAME", value_parser = parse::user)]
    user: Option<UserName>,
    /// Only sessions on this device
    #[arg(long, value_name = "NAME", value_parser = parse::device)]
    device: Option<DeviceName>,
    /// Only sessions on devices of this store (name or id)
    #[arg(long)]
    store: Option<String>,
    /// Only sessions that were created through this API
    #[arg(long, value_name = "NAME")]
    mount: Option<String>,
    /// Only sessions of this kind
    #[arg(long, value_parser = parse::one_of_words::<SessionKind>(&["person", "device", "permanent"]))]
    kind: Option<SessionKind>,
    /// Only sessions with this text in the names of their user or device
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Maximum number of rows
    #[arg(long, value_name = "NUMBER", value_parser = parse::limit::<usize>())]
    limit: Option<usize>,
}

/// The arguments of `session end`.
#[derive(Debug, Args)]
pub(crate) struct EndArgs {
    #[command(flatten)]
    selection: SessionSelection,
    #[command(flatten)]
    confirmation: ConfirmationArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct SessionSelection {
    /// Id of the session
    #[arg(value_parser = parse::id::<SessionId>("session list"))]
    id: Option<SessionId>,
    /// All sessions of this user; asks for confirmation if permanent ones are among them
    #[arg(long, value_name = "NAME", value_parser = parse::user)]
    user: Option<UserName>,
    /// All sessions on this device; asks for confirmation if permanent ones are among them
    #[arg(long, value_name = "NAME", value_parser = parse::device)]
    device: Option<DeviceName>,
    /// All sessions of the tenant, including permanent ones; asks for confirmation
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
        let target = match (&which.user, &which.device) {
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
        let live = LiveSessions::count(&find_sessions(office, &filter)?);
        let number = live.total;
        if let (Some(id), 0) = (which.id, number) {
            return Err(CommandError::failed(format!(
                "there is no live session \"{id}\"; `tillgate session list` shows the ids"
            )));
        }
        if which.everyone {
            self.confirmation.ask(&format!(
                "This ends {} of the tenant \"{}\", {} of them permanent: all users have to log in again, and every \
                 permanent token has to be generated again",
                count_text(number, "session"),
                office.tenant.slug,
                live.permanent
            ))?;
        } else if target.is_some() {
            live.confirm_end(self.confirmation, "This")?;
        }
        if let Some(target) = target {
            check_decided(office.for_operator()?.end_sessions(target, true))?;
        }
        if let Some(id) = which.id {
            let auth = composition::build_command_engine(&office.settings, &office.database)?;
            auth.end_session(id).map_err(CommandError::failed)?;
        }
        print::print_result(json, &format!("{} ended", count_text(number, "session")), &json!({ "ended": number }));
        Ok(())
    }
}

/// The number of live sessions that a command is about to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct LiveSessions {
    /// All of them.
    pub(super) total: usize,
    /// The permanent ones, whose tokens have to be generated again.
    permanent: usize,
}

impl LiveSessions {
    fn count(live: &[SessionView]) -> Self {
        let permanent = live.iter().filter(|view| view.session.kind == SessionKind::Permanent).count();
        Self { total: live.len(), permanent }
    }

    /// Asks for confirmation if there are permanent sessions. `what` ends them.
    pub(super) fn confirm_end(self, confirmation: ConfirmationArgs, what: &str) -> Result<(), CommandError> {
        if self.permanent == 0 {
            return Ok(());
        }
        confirmation.ask(&format!("{what} ends {self}: every permanent token has to be generated again"))
    }
}

impl fmt::Display for LiveSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&count_text(self.total, "session"))?;
        if self.permanent == 0 { Ok(()) } else { write!(f, ", {} of them permanent", self.permanent) }
    }
}

/// The live sessions of a user, on a device or of the whole tenant.
pub(super) fn count_live_sessions(office: &CommandOffice, target: SessionTarget) -> Result<LiveSessions, CommandError> {
    let mut filter = live_filter(office);
    match target {
        SessionTarget::User(user) => filter.user = Some(user),
        SessionTarget::Device(device) => filter.device = Some(device),
        SessionTarget::Everyone => (),
    }
    Ok(LiveSessions::count(&find_sessions(office, &filter)?))
}

/// The number of live sessions of these kinds on a device.
pub(super) fn count_live_device_sessions(
    office: &CommandOffice,
    device: DeviceId,
    kinds: &[SessionKind],
) -> Result<usize, CommandError> {
    let filter = SessionFilter { device: Some(device), ..live_filter(office) };
    Ok(find_sessions(office, &filter)?.iter().filter(|view| kinds.contains(&view.session.kind)).count())
}

/// The newest login, refresh or other request on a device. The device itself records only requests
/// with an access token.
pub(super) fn find_last_use(office: &CommandOffice, device: &Device) -> Result<Option<Instant>, CommandError> {
    let store: &dyn Store<AuthPorts> = &*office.database;
    let every = SessionFilter { tenant: Some(office.tenant.id), device: Some(device.id), ..SessionFilter::default() };
    let newest = store.read("list_sessions", |tx| tx.sessions().list(&every, SessionOrder::Newest, None, 1));
    let live = find_sessions(office, &SessionFilter { device: Some(device.id), ..live_filter(office) })?;
    let sessions = newest.map_err(CommandError::failed)?.into_iter().chain(live);
    let uses = sessions.flat_map(|view| {
        let session = view.session;
        [Some(session.created_at), session.rotated_at, session.last_used_at]
    });
    Ok(uses.chain([device.last_seen_at]).flatten().max())
}

fn live_filter(office: &CommandOffice) -> SessionFilter {
    SessionFilter { tenant: Some(office.tenant.id), live: Some((true, office.ids.now())), ..SessionFilter::default() }
}

fn find_sessions(office: &CommandOffice, filter: &SessionFilter) -> Result<Vec<SessionView>, CommandError> {
    let store: &dyn Store<AuthPorts> = &*office.database;
    let order = SessionOrder::Newest;
    let load_page = |page: &PageRequest<SessionCursor>| {
        store.read("list_sessions", |tx| tx.sessions().list(filter, order, page.after, page.limit))
    };
    office::collect_pages(None, load_page, |view| order.cursor(&view.session)).map_err(CommandError::failed)
}

fn list_sessions(office: &CommandOffice, which: &SessionListArgs, json: bool) -> Result<(), CommandError> {
    let mut filter = live_filter(office);
    if which.all {
        filter.live = None;
    }
    let user = which.user.as_ref().map(|name| office.find_user(name)).transpose();
    let device = which.device.as_ref().map(|name| office.find_device(name)).transpose();
    let branch = find_branch(office, which.store.as_deref());
    ArgumentErrors::default().with(&user).with(&device).with(&branch).report()?;
    filter.user = user?.map(|user| user.id);
    filter.device = device?.map(|device| device.id);
    filter.branch = branch?;
    filter.dialect = which.mount.as_deref().map(DialectName::new);
    filter.kind = which.kind;
    // nothing contains a text that a name cannot contain
    let text = normalize_search_text(which.search.as_deref());
    let unmatched = text.is_none();
    filter.text = text.flatten();
    let row = |view: &SessionView| {
        let name = |name: Option<String>| name.unwrap_or_else(|| "-".to_owned());
        let session = &view.session;
        let end = match (session.ended, session.expires_at) {
            (Some((at, why)), _) => format!("{} ({})", format_instant(at), why.name()),
            (None, Some(at)) => format_instant(at),
            (None, None) => "never".to_owned(),
        };
        vec![
            session.id.to_string(),
            name(view.user_name.as_ref().map(ToString::to_string)),
            name(view.device_name.as_ref().map(ToString::to_string)),
            session.dialect.as_str().to_owned(),
            name(session.last_used_at.map(format_instant)),
            end,
        ]
    };
    let found = if unmatched { Vec::new() } else { find_sessions(office, &filter)? };
    let now = office.ids.now();
    let shown = found.iter().take(which.limit.unwrap_or(usize::MAX));
    let rows: Vec<_> = shown.map(|view| (row(view), SessionBody::from_view(view, now, true))).collect();
    print::print_table(json, &["ID", "USER", "DEVICE", "MOUNT", "LAST USED", "ENDS"], &rows);
    print::note_omitted(found.len() - rows.len());
    match &which.mount {
        Some(mount) if found.is_empty() => note_unknown_mount(office, mount),
        _ => (),
    }
    Ok(())
}

/// Notes that the configuration has no such mount. Its sessions can still be listed: they may be
/// older than the configuration.
fn note_unknown_mount(office: &CommandOffice, name: &str) {
    let known = office.settings.list_mount_names();
    if !known.contains(&name) {
        print::print_note(&format!("no mount is named \"{name}\"{}", did_you_mean(name, known)));
    }
}
