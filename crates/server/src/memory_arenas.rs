//! Limits the number of heaps of glibc's allocator, its arenas.
//!
//! glibc gives the threads of a process up to eight arenas per core. What is freed in one arena is
//! not used by threads of another and is seldom returned to the system, and many threads of a
//! server need memory for a moment only. With two arenas, the server uses 10 MB less after a busy
//! time, at the same processor time per request (docs/bench/README.md).

/// Limits the arenas of this process to two, unless the environment has a limit.
///
/// glibc reads the limit when a program starts. The calling program is therefore started again in
/// the same process (execve(2)), with the limit in its environment. If that fails, this returns,
/// and the number of arenas is that of glibc.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn limit_memory_arenas() {
    use std::os::unix::process::CommandExt;

    const LIMIT: (&str, &str) = ("MALLOC_ARENA_MAX", "2");
    if [LIMIT.0, "GLIBC_TUNABLES"].into_iter().any(|name| std::env::var_os(name).is_some()) {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let _error = command.args(arguments).env(LIMIT.0, LIMIT.1).exec();
}

/// Does nothing: this system has another allocator.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn limit_memory_arenas() {}
