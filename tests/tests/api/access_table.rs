//! The access table of docs/gateway.md, evaluated by `tillgate access check` without a request.

use tillgate_tests::gateway::code_block;
use tillgate_tests::markdown_pages::read_blocks;
use tillgate_tests::{DatabaseEngine, Installation};

/// The commands that docs/gateway.md shows print what it shows.
#[test]
fn documented_checks_print_what_the_page_shows() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    std::fs::write(installation.folder().join("tillgate.toml"), code_block("toml")).unwrap();
    let blocks = read_blocks("docs/gateway.md");
    let shown = &blocks.iter().find(|block| block.text.starts_with("$ tillgate ")).unwrap().text;
    let commands = shown.lines().filter_map(|line| line.strip_prefix("$ tillgate "));
    let printed = commands.map(|command| {
        let output = installation.run(&command.split(' ').collect::<Vec<_>>(), "");
        let output = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        format!("$ tillgate {command}\n{output}")
    });
    assert_eq!(&printed.collect::<String>(), shown);
}

#[test]
fn access_rows_are_queried_without_a_request() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    std::fs::write(installation.folder().join("tillgate.toml"), code_block("toml")).unwrap();
    for (arguments, code, expected) in [
        ("GET /api/v1/products --mount kasir --role cashier", 0, "allowed by row 2 (/api/v1/products)"),
        ("HEAD /api/v1/products/ --mount kasir --role manager", 0, "allowed by row 2 (/api/v1/products)"),
        (
            "DELETE /api/v1/products/7 --mount kasir --role cashier",
            1,
            "row 1 (/api/v1/products/{id}): it requires the role admin",
        ),
        ("GET /api/v1/products --mount native --role admin", 1, "row 2 (/api/v1/products): it accepts tokens of kasir"),
        ("GET /api/v1/products --mount kasir", 1, "it requires the role cashier"),
        ("GET /api/v1/products/../users --mount kasir --role admin", 1, "none of the 15 rows matches"),
        ("GET /users --mount kasir --role admin", 1, "none of the 15 rows matches GET /users"),
        ("GET /users --mount kassir --role admin", 2, "did you mean \"kasir\"?"),
        ("G@T /users --mount kassir", 2, "did you mean \"kasir\"?; \"G@T\" is not an HTTP method"),
        ("GET /users --mount kasir --role manger", 2, "a similar value exists: 'manager'"),
    ] {
        let words: Vec<&str> = ["access", "check"].into_iter().chain(arguments.split(' ')).collect();
        let output = installation.run(&words, "");
        let output_text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {output_text}");
        assert!(output_text.contains(expected), "{arguments}: {output_text}");
    }
}
