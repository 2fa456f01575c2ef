//! The commands as a user runs them: the real program with a real database, in a folder of its own.

#[cfg(test)]
mod api_key;
#[cfg(test)]
mod completions;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod enrollment;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod json;
#[cfg(test)]
mod lockout;
#[cfg(test)]
mod lost_master_key;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod mail_server;
#[cfg(test)]
mod maintenance;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod office;
#[cfg(test)]
mod program;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod setup_token;
#[cfg(test)]
mod start_errors;
#[cfg(test)]
mod subject_names;
#[cfg(test)]
mod target_database;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod terminal;
#[cfg(test)]
#[cfg(unix)]
mod unprivileged_user;
#[cfg(test)]
mod users;
