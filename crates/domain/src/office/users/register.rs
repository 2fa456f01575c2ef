//! Adds a user with a lower rank than the caller's.

use crate::office::Office;
use crate::office::error::{OfficeError, UseCaseResult, commit_refusal};
use crate::office::users::add::{self as add_user, NewUser};
use crate::{Action, Rank, StoreExt, User};

impl Office<'_> {
    /// Adds the user with the built-in role of this rank and no other, without a device.
    /// `caller_rank` must be higher. Requires what [`add_user`](Self::add_user) requires.
    pub fn register_user(&self, caller_rank: Option<Rank>, rank: Rank, new: &NewUser) -> UseCaseResult<User> {
        if caller_rank.is_none_or(|caller_rank| rank >= caller_rank) {
            return Ok(Err(OfficeError::RankTooHigh(rank)));
        }
        self.store.write("register_user", |tx| {
            let roles = tx.roles().list(self.tenant)?;
            let role = roles.iter().find(|role| Rank::of_role(role) == Some(rank));
            let roles = role.into_iter().map(|role| role.name.clone()).collect();
            let new = NewUser { roles, devices: Vec::new(), ..new.clone() };
            commit_refusal(add_user::add(tx, self, &new, Action::UserRegister))
        })
    }
}
