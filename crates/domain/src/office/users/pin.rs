//! PINs of users, by which they prove their identity on a till. The back office sets PINs that the
//! server has drawn; callers set their own by proving their password, because a stolen access token
//! would be enough to get a PIN otherwise.

use serde_json::{Map, json};

use crate::office::Office;
use crate::office::error::{OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::users::change::load_user;
use crate::office::users::last_admin;
use crate::office::users::password::authorize_credential_change;
use crate::{Action, PrincipalId, StoreExt, StoredPin, User, UserId};

impl Office<'_> {
    /// Checks the authority to set this PIN, before it is hashed. Returns the user.
    ///
    /// A virtual user, and the caller's own PIN, are denied. Requires the right `userUpdate` and
    /// every right of the user.
    pub fn authorize_set_pin(&self, user: UserId) -> UseCaseResult<User> {
        self.store.read("authorize_set_pin", |tx| commit_refusal(authorize(tx, self, user)))
    }

    /// Sets the PIN of a user, which the server has drawn. It replaces the previous one; sessions
    /// of the user continue. Returns false, and changes nothing, if the key of its digest was
    /// replaced in the meantime. Requires what [`authorize_set_pin`](Self::authorize_set_pin)
    /// requires.
    pub fn set_pin(&self, user: UserId, pin: &StoredPin) -> UseCaseResult<bool> {
        self.store.write("set_pin", |tx| {
            let mut run = || -> Result<bool, UseCaseError> {
                // A promotion or a deletion that is under way ends first: it removes the PIN.
                last_admin::claim_tenant(tx, self.tenant)?;
                let user = authorize(tx, self, user)?;
                if !tx.pins().claim_key(pin.key)? {
                    return Ok(false);
                }
                tx.pins().set(user.id, pin, self.context.at)?;
                let details = Map::from_iter([("by".to_owned(), json!("drawn"))]);
                tx.audit().record(&self.build_event(Action::PinSet, crate::Subject::User(user.id), details))?;
                Ok(true)
            };
            commit_refusal(run())
        })
    }

    /// Removes the PIN of a user. Returns false if there is none. Requires the right `userUpdate`,
    /// every right of the user, and a recent proof of identity; callers may remove their own.
    pub fn remove_pin(&self, user: UserId) -> UseCaseResult<bool> {
        self.store.write("remove_pin", |tx| {
            let mut run = || -> Result<bool, UseCaseError> {
                let subject = authorize_credential_change(tx, self, PrincipalId::User(user))?;
                self.require_recent_proof()?;
                let removed = tx.pins().remove(user)?;
                if removed {
                    tx.audit().record(&self.build_event(Action::PinRemove, subject, Map::new()))?;
                }
                Ok(removed)
            };
            commit_refusal(run())
        })
    }
}

fn authorize(tx: &mut dyn OfficeTx, office: &Office<'_>, user: UserId) -> Result<User, UseCaseError> {
    authorize_credential_change(tx, office, PrincipalId::User(user))?;
    office.require_recent_proof()?;
    if office.context.is_principal(PrincipalId::User(user)) {
        return Err(OfficeError::OwnPin.into());
    }
    load_user(tx, office.tenant, user)
}
