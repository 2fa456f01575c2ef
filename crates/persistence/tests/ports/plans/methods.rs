//! Checks that every method of every port is called by the explained statements: a new method
//! requires a new call.

use std::path::Path;

/// The text of all source files of the ports.
fn read_sources(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let beside = root.with_extension("rs");
    let files = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    files.chain([beside]).map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// The names of the functions of a trait.
fn trait_methods(sources: &str, name: &str) -> Vec<String> {
    let start = sources.find(&format!("pub trait {name} {{")).unwrap_or_else(|| panic!("there is no port {name}"));
    let body = &sources[start..start + sources[start..].find("\n}").unwrap()];
    let functions = body.split("\n    fn ").skip(1);
    functions.map(|function| function.split(['(', '<']).next().unwrap().to_owned()).collect()
}

/// The ports of a transaction trait: the accessor and the name of each.
fn view_ports(sources: &str, view: &str) -> Vec<(String, String)> {
    let start = sources.find(&format!("pub trait {view}: ")).unwrap();
    let body = &sources[start..start + sources[start..].find("\n}").unwrap()];
    let lines = body.lines().filter_map(|line| line.trim().strip_prefix("fn ")?.split_once("(&mut self) -> &mut dyn "));
    lines.map(|(accessor, port)| (accessor.to_owned(), port.trim_end_matches(';').to_owned())).collect()
}

#[test]
fn every_port_method_has_a_plan() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ports/plans/statements.rs");
    let called = std::fs::read_to_string(file).unwrap();
    let called: String = called.split_whitespace().collect();
    let mut missing = Vec::new();
    let mut number = 0;
    for (path, view) in [("domain/src/office/ports", "OfficeTx"), ("auth-core/src/ports", "AuthTx")] {
        let sources = read_sources(path);
        let ports = view_ports(&sources, view);
        assert!(ports.len() > 8, "{ports:?}");
        for (accessor, port) in ports {
            for method in trait_methods(&sources, &port) {
                number += 1;
                let call = format!("{accessor}().{method}");
                if !called.contains(&format!("tx.{call}(")) {
                    missing.push(format!("{view}: {call}"));
                }
            }
        }
    }
    assert!(number > 80, "{number}");
    assert_eq!(missing, [""; 0], "add a call to `call_every_method` in statements.rs");
}
