//! The names of the subjects of audit events: the current ones for `audit list`, and the filter
//! `--subject`.

use std::collections::BTreeMap;

use tillgate_domain::office::UnguardedOffice;
use tillgate_domain::{DeviceStatus, Event, FoldedText, StoreResult, Subject, SubjectKind, UserStatus};
use uuid::Uuid;

use super::super::CommandError;
use super::super::office::CommandOffice;
use crate::suggestions::did_you_mean;

/// The id of the subject with this name or id, of this kind if one is given. The error suggests a
/// similar name.
pub(super) fn find_subject(
    office: &CommandOffice,
    kind: Option<SubjectKind>,
    text: &str,
) -> Result<Uuid, CommandError> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let mut names = list_subject_names(office)?;
    names.retain(|(each, ..)| kind.is_none_or(|kind| *each == kind));
    let wanted = FoldedText::of(text);
    let mut found: Vec<_> = names.iter().filter(|(_, name, _)| FoldedText::of(name) == wanted).collect();
    // of two names that are equal only by full case folding, the one that is written so
    let is_identical = |(_, name, _): &&(SubjectKind, String, Uuid)| FoldedText::of(name).is_identical(&wanted);
    if found.iter().any(is_identical) {
        found.retain(is_identical);
    }
    match found.as_slice() {
        [(.., id)] => Ok(*id),
        [] => {
            let what = kind.map_or("subject with the name", SubjectKind::name);
            let near = did_you_mean(text, names.iter().map(|(_, name, _)| name.as_str()));
            Err(CommandError::failed(format!("there is no {what} \"{text}\"{near}")))
        }
        several => {
            let kinds: Vec<&str> = several.iter().map(|(kind, ..)| kind.name()).collect();
            Err(CommandError::usage(format!(
                "several subjects are named \"{text}\": add --subject-kind {}, or use the id",
                kinds.join(" or ")
            )))
        }
    }
}

/// The subjects of the tenant that have names. A deleted user or a retired device keeps only the
/// id, since another one may have the name.
fn list_subject_names(office: &CommandOffice) -> Result<Vec<(SubjectKind, String, Uuid)>, CommandError> {
    let users = office.list_users()?.into_iter().filter(|user| user.status != UserStatus::Deleted);
    let users = users.map(|user| (SubjectKind::User, user.name.to_string(), user.id.0));
    let devices = office.list_devices()?.into_iter().filter(|device| device.status != DeviceStatus::Retired);
    let devices = devices.map(|device| (SubjectKind::Device, device.name.to_string(), device.id.0));
    let roles = office.unguarded().list_roles().map_err(CommandError::failed)?.into_iter();
    let roles = roles.map(|role| (SubjectKind::Role, role.name.to_string(), role.id.0));
    let stores = office.tenant.branches.iter().map(|store| (SubjectKind::Store, store.name.clone(), store.id.0));
    let tenant = (SubjectKind::Tenant, office.tenant.slug.to_string(), office.tenant.id.0);
    Ok(users.chain(devices).chain(roles).chain(stores).chain([tenant]).collect())
}

/// Names of subjects, each of which is read once.
pub(super) struct SubjectNames<'o> {
    office: &'o CommandOffice,
    names: BTreeMap<Uuid, Option<String>>,
}

impl<'o> SubjectNames<'o> {
    pub(super) const fn new(office: &'o CommandOffice) -> Self {
        Self { office, names: BTreeMap::new() }
    }

    /// The kind and the name of an event's subject, or its id if it has no name.
    pub(super) fn describe_subject(&mut self, event: &Event) -> Result<String, CommandError> {
        let kind = event.subject.kind().name();
        let Some(id) = event.subject.uuid() else { return Ok(kind.to_owned()) };
        if !self.names.contains_key(&id) {
            let name = self.find_name(event).map_err(CommandError::failed)?;
            self.names.insert(id, name);
        }
        let name = self.names.get(&id).cloned().flatten();
        Ok(format!("{kind} {}", name.unwrap_or_else(|| id.to_string())))
    }

    fn find_name(&self, event: &Event) -> StoreResult<Option<String>> {
        let Some(tenant) = event.tenant else { return Ok(None) };
        let office = UnguardedOffice::new(self.office.store(), tenant);
        Ok(match event.subject {
            Subject::User(id) => office.find_user(id)?.map(|user| user.name.to_string()),
            Subject::Device(id) => office.find_device(id)?.map(|device| device.name.to_string()),
            Subject::Role(id) => office.find_role(id)?.map(|role| role.name.to_string()),
            Subject::Tenant(_) => office.find_tenant()?.map(|tenant| tenant.slug.to_string()),
            Subject::Store(id) => {
                let stores = office.find_tenant()?.map(|tenant| tenant.branches).unwrap_or_default();
                stores.into_iter().find(|store| store.id == id).map(|store| store.name)
            }
            Subject::Session(_) | Subject::Key(_) | Subject::ApiKey(_) | Subject::Ticket(_) | Subject::Server => None,
        })
    }
}
