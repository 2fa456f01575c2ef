//! The command `manual`.

use std::path::Path;

use clap::CommandFactory;

use crate::program::TestInstallation;

/// Checks the page of a command and those of its subcommands.
fn check_pages(folder: &Path, name: &str, command: &clap::Command) {
    let path = folder.join(format!("{name}.1"));
    let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // roff writes a hyphen that is not a line break so
    let page = page.replace("\\-", "-");
    let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    assert!(page.contains(example.lines().last().unwrap_or_default()), "{name}: {example}\n{page}");
    for each in command.get_subcommands() {
        check_pages(folder, &format!("{name}-{}", each.get_name()), each);
    }
}

#[test]
fn every_command_has_a_page_with_its_example() {
    let home = TestInstallation::new();
    let folder = home.path("man");
    let printed = home.run_ok(&["manual", folder.to_str().unwrap()]).out;
    assert!(printed.contains("man -l "), "{printed}");
    check_pages(&folder, "tillgate", &tillgate_server::Cli::command());
}
