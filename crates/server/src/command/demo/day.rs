//! A day of work in the full shop: logins, sales, and what the back office does, with the use cases
//! of the server, at instants of the past day.

mod sales;
mod timetable;
mod work_session;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tillgate_auth_core::auth::{DeniedCall, MissingRequirement};
use tillgate_auth_core::{
    AuthDenied, DialectName, Error, IssuedTokens, LoginIdentity, LoginRequest, LoginSecret, Tenancy, Terms,
};
use tillgate_domain::office::{DeviceChange, UserChange};
use tillgate_domain::{BranchId, DeviceStatus, KnownRight, PrincipalId, Secret, Subject, Tenant, TicketId, UserStatus};

use super::accounts::{DemoAccount, find_account};
use super::backdated_engine::BackdatedEngine;
use super::seeded_random::SeededRandom;
use super::staff::{DemoStore, TILLS};
use crate::command::CommandError;
use crate::command::office::check_decided;
use crate::composition;
use crate::configuration::Settings;
use timetable::{Incident, Shift, TimetableStep};
use work_session::WorkSession;

/// The length of the day.
pub(super) const DAY_LENGTH: Duration = Duration::from_hours(24);

/// The seed of the day: it is the same in every demo.
const SEED: u64 = 2026;

/// Maximum number of wrong passwords in `Incident::Guessing`.
const MAX_GUESSES: u8 = 12;

/// The address of the office of the first store.
const OFFICE_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 10, 100));

/// The address of somebody who guesses passwords (RFC 5737).
const GUESSER_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 77));

/// Simulates the day. `verifiers` are those of the passwords that were set for the accounts before.
pub(super) fn simulate_day(
    settings: &Settings,
    engine: &BackdatedEngine<'_>,
    tenant: &Tenant,
    verifiers: &BTreeMap<&'static str, Secret<String>>,
) -> Result<(), CommandError> {
    let mut random = SeededRandom::new(SEED);
    let moments = timetable::build_timetable(&mut random);
    let (sessions, last_closed) = (BTreeMap::new(), BTreeMap::new());
    let mut day = Day { settings, engine, tenant, verifiers, random, sessions, last_closed };
    for (ago, step) in moments {
        engine.set_time_ago(ago);
        day.run_step(&step, ago)?;
    }
    Ok(())
}

/// The day, as far as it has been simulated.
struct Day<'d> {
    settings: &'d Settings,
    engine: &'d BackdatedEngine<'d>,
    tenant: &'d Tenant,
    verifiers: &'d BTreeMap<&'static str, Secret<String>>,
    random: SeededRandom,
    /// The sessions at tills, by the till.
    sessions: BTreeMap<&'static str, WorkSession>,
    /// The newest closed ticket of each till.
    last_closed: BTreeMap<&'static str, TicketId>,
}

impl Day<'_> {
    fn run_step(&mut self, step: &TimetableStep, ago: Duration) -> Result<(), CommandError> {
        match step {
            TimetableStep::LogIn(shift) => self.begin_shift(shift),
            TimetableStep::Sell(shift) => match self.sessions.get_mut(shift.till) {
                Some(session) => {
                    let caller = session.authenticate(&self.engine.auth)?;
                    self.sell(shift.till, &caller, ago)
                }
                None => Ok(()),
            },
            TimetableStep::Use(shift) => match self.sessions.get_mut(shift.till) {
                Some(session) => session.authenticate(&self.engine.auth).map(drop),
                None => Ok(()),
            },
            TimetableStep::LogOut(shift) => match self.sessions.remove(shift.till) {
                Some(mut session) => {
                    let caller = session.authenticate(&self.engine.auth)?;
                    self.engine.auth.logout(&caller).map_err(CommandError::failed)
                }
                None => Ok(()),
            },
            TimetableStep::Incident(incident) => self.run_incident(incident),
        }
    }

    fn begin_shift(&mut self, shift: &'static Shift) -> Result<(), CommandError> {
        let address = till_address(shift.till);
        let secret = self.login_secret(shift.person);
        if let Some(tokens) = self.log_in(shift.person, Some(shift.till), shift.dialect, address, secret)? {
            let dialect = DialectName::new(shift.dialect);
            self.sessions.insert(shift.till, WorkSession { dialect, address, tokens });
        }
        Ok(())
    }

    fn run_incident(&mut self, incident: &Incident) -> Result<(), CommandError> {
        match incident {
            Incident::WrongPassword { person, till } => {
                let wrong = guess(0);
                self.log_in(person, Some(till), "native", till_address(till), wrong).map(drop)
            }
            Incident::RefusedLogin { person, till } => {
                let secret = self.login_secret(person);
                self.log_in(person, Some(till), "native", till_address(till), secret).map(drop)
            }
            Incident::MissingRight { till } => {
                let Some(session) = self.sessions.get_mut(till) else { return Ok(()) };
                let Some(ticket) = self.last_closed.get(till) else { return Ok(()) };
                let caller = session.authenticate(&self.engine.auth)?;
                let denied = DeniedCall {
                    missing: MissingRequirement::Right(KnownRight::Storno.into()),
                    call: format!("POST {}/tickets/{ticket}/refund", self.settings.native.prefix),
                    subject: Some(Subject::Ticket(*ticket)),
                };
                self.engine.auth.record_denial(&caller, &denied).map_err(CommandError::failed)
            }
            Incident::Suspend { person } => {
                let Some(DemoAccount { id: PrincipalId::User(id), .. }) = find_account(person) else { return Ok(()) };
                let change = UserChange { status: Some(UserStatus::Suspended), ..UserChange::default() };
                self.in_office("admin", |day, session| {
                    let caller = session.authenticate(&day.engine.auth)?;
                    check_decided(day.office(&caller)?.change_user(id, None, &change)).map(drop)
                })
            }
            Incident::Lock { till } => {
                let Some(DemoAccount { id: PrincipalId::Device(id), .. }) = find_account(till) else { return Ok(()) };
                let change = DeviceChange { status: Some(DeviceStatus::Locked), ..DeviceChange::default() };
                self.in_office("admin", |day, session| {
                    let caller = session.authenticate(&day.engine.auth)?;
                    check_decided(day.office(&caller)?.change_device(id, None, &change)).map(drop)
                })
            }
            Incident::EndSession { manager, till } => {
                let Some(session) = self.sessions.remove(till) else { return Ok(()) };
                self.in_office(manager, |day, office| {
                    let caller = office.authenticate(&day.engine.auth)?;
                    let ended = day.engine.auth.end_session_for(&caller, session.tokens.session.id);
                    ended.map(drop).map_err(CommandError::failed)
                })
            }
            Incident::Guessing { person } => {
                for number in 0..MAX_GUESSES {
                    let request = self.login_request(person, None, "native", GUESSER_ADDRESS, guess(number));
                    if let Err(Error::Denied(AuthDenied::TooManyAttempts { .. })) = self.engine.auth.login(&request) {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Logs a person in at the office, without a device, for one act, and out again.
    fn in_office(
        &self,
        person: &str,
        act: impl FnOnce(&Self, &mut WorkSession) -> Result<(), CommandError>,
    ) -> Result<(), CommandError> {
        let secret = self.login_secret(person);
        let Some(tokens) = self.log_in(person, None, "native", OFFICE_ADDRESS, secret)? else { return Ok(()) };
        let mut session = WorkSession { dialect: DialectName::new("native"), address: OFFICE_ADDRESS, tokens };
        act(self, &mut session)?;
        let caller = session.authenticate(&self.engine.auth)?;
        self.engine.auth.logout(&caller).map_err(CommandError::failed)
    }

    /// Logs a person in; `None` if the login is denied.
    fn log_in(
        &self,
        person: &str,
        device: Option<&str>,
        dialect: &str,
        address: IpAddr,
        secret: LoginSecret,
    ) -> Result<Option<IssuedTokens>, CommandError> {
        match self.engine.auth.login(&self.login_request(person, device, dialect, address, secret)) {
            Ok(tokens) => Ok(Some(tokens)),
            Err(Error::Denied(_)) => Ok(None),
            Err(error) => Err(CommandError::failed(error)),
        }
    }

    fn login_request(
        &self,
        person: &str,
        device: Option<&str>,
        dialect: &str,
        address: IpAddr,
        secret: LoginSecret,
    ) -> LoginRequest {
        LoginRequest {
            dialect: DialectName::new(dialect),
            terms: self.session_terms(dialect),
            tenancy: Tenancy::default(),
            identity: LoginIdentity::User { login: person.to_owned(), device: device.map(str::to_owned) },
            secret,
            proven_key: None,
            min_rank: None,
            requires_office_right: false,
            address: Some(address),
            previous_refresh_tokens: Vec::new(),
            reports_password_change: true,
        }
    }

    fn session_terms(&self, dialect: &str) -> Terms {
        composition::session_terms(self.settings, dialect)
    }

    /// What the person logs in with: the verifier of the password that this command has set.
    fn login_secret(&self, person: &str) -> LoginSecret {
        LoginSecret::Verifier(self.verifiers.get(person).cloned().unwrap_or_else(|| Secret::new(String::new())))
    }

    fn first_store(&self) -> Option<BranchId> {
        self.tenant.branches.first().map(|store| store.id)
    }
}

/// A wrong password.
fn guess(number: u8) -> LoginSecret {
    LoginSecret::Password(Secret::new(format!("guess {number} of a password")))
}

/// The address of a till in the network of its store.
fn till_address(name: &str) -> IpAddr {
    let till = TILLS.iter().find(|till| till.name == name);
    let network = if till.is_some_and(|till| till.store == DemoStore::Jakarta) { 20 } else { 10 };
    let number = find_account(name).map_or(1, |account| account.id.uuid().as_bytes().last().copied().unwrap_or(1));
    IpAddr::V4(Ipv4Addr::new(192, 168, network, number))
}
