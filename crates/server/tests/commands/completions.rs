//! The command `completions`.

use crate::program::TestInstallation;

#[test]
fn shell_completions_are_generated() {
    let home = TestInstallation::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = home.run_ok(&["completions", shell]).out;
        assert!(script.contains("tillgate") && script.contains("api-key") && script.contains("rename"), "{shell}");
    }
    home.run_refused(&["completions", "dos"], 2);
}

#[test]
fn words_are_completed_and_files_only_where_they_are_expected() {
    let home = TestInstallation::new();
    let script = home.run_ok(&["completions", "bash"]).out;
    // the values of --kind, --env, --outcome, --action and --role
    for words in [
        "person device permanent",
        "CashRegister PDA",
        "\"done refused\"",
        "refresh.replay",
        "\"cashier manager admin\"",
    ] {
        assert!(script.contains(words), "{words}");
    }
    let completion_of = |option: &str| {
        let (_, rest) = script.split_once(&format!("{option})")).unwrap_or_else(|| panic!("no {option}"));
        rest.split_once("return 0").unwrap().0.to_owned()
    };
    for name in ["--device", "--user", "--tenant", "--display-name"] {
        assert!(!completion_of(name).contains("compgen"), "{}", completion_of(name));
    }
    for file in ["--config", "--data", "--seal", "--output"] {
        assert!(completion_of(file).contains("compgen -f"), "{}", completion_of(file));
    }
}

#[test]
fn misspelled_word_is_refused_with_a_similar_one() {
    let home = TestInstallation::new();
    for (line, similar) in [
        (&["audit", "list", "--action", "user.ad"][..], "user.add"),
        (&["audit", "list", "--outcome", "refusd"], "refused"),
        (&["access", "check", "GET", "/", "--mount", "native", "--role", "cashir"], "cashier"),
    ] {
        let error = home.run_refused(line, 2);
        assert!(error.contains("similar value") && error.contains(similar), "{error}");
    }
}
