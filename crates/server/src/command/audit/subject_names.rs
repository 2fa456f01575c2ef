//! The current names of the subjects of audit events, for `audit list`.

use std::collections::BTreeMap;

use tillgate_domain::office::UnguardedOffice;
use tillgate_domain::{Event, StoreResult, Subject};
use uuid::Uuid;

use super::super::CommandError;
use super::super::office::CommandOffice;

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
