//! The commands as whoever types them sees them: the real program, on a real database, in a folder of its own.

#[cfg(test)]
mod api_key;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod maintenance;
#[cfg(test)]
mod office;
#[cfg(test)]
mod program;
#[cfg(test)]
mod serve;
