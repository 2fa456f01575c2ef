//! The `tillgate` program: passes its arguments and environment variables to the library.

use std::process::ExitCode;

use tillgate_server::Cli;

fn main() -> ExitCode {
    // variables that are not UTF-8 are ignored: no setting has such a name or value
    let variables: Vec<_> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    if let Some(code) = tillgate_server::answer_completion(&variables) {
        return code;
    }
    let cli = match Cli::parse_arguments() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    if cli.runs_server() {
        tillgate_server::limit_memory_arenas();
    }
    tillgate_server::run_cli(cli, variables)
}
