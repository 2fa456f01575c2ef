//! The commands as whoever types them sees them: the real program, on a real database, in a folder of its own.

#[cfg(test)]
mod api_key;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod office;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod tillgate;
#[cfg(test)]
mod upkeep;
