//! The TypeScript compiler checks the modules of the back office against the types of the native
//! API, which are generated from its OpenAPI document: a changed API breaks the check.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tillgate_tests::clients::{find_node_file, node_command, node_script, output_folder, run_ok};
use tillgate_tests::{DatabaseEngine, Installation, is_documented};

fn web_crate() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("crates/web")
}

fn read_document() -> Value {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    server.new_till().get("/openapi.json").expect_status(200).json()
}

/// Writes the types of the API of this document, and a project with the modules. Returns its file.
fn create_project(document: &Value, name: &str) -> PathBuf {
    let folder = output_folder(name);
    let (source, types, project) =
        (folder.join("openapi.json"), folder.join("native-api.d.ts"), folder.join("tsconfig.json"));
    std::fs::write(&source, document.to_string()).unwrap();
    let mut generator = node_script("api_types.mjs");
    generator.arg(&source).arg(&types);
    run_ok(generator);
    let base = web_crate();
    let settings = json!({
        "extends": base.join("tsconfig.json"),
        "files": [types],
        "include": [base.join("app/src"), base.join("types")],
    });
    std::fs::write(&project, settings.to_string()).unwrap();
    project
}

/// What the compiler says about the modules, without what it says about the library beside them,
/// which has no types.
fn compile(project: &Path) -> String {
    let mut compiler = node_command(&find_node_file("typescript/bin/tsc"));
    compiler.arg("--project").arg(project).args(["--pretty", "false"]);
    let said = String::from_utf8(compiler.output().unwrap().stdout).unwrap();
    let mut is_of_library = false;
    let of_modules = said.lines().filter(|line| {
        // the other lines of a message are indented
        if !line.starts_with(' ') {
            is_of_library = line.contains("/app/vendor/");
        }
        !is_of_library
    });
    of_modules.collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "requires Node.js"]
fn modules_have_no_type_errors_and_use_the_documented_api() {
    let document = read_document();
    let mut changed = document.clone();
    let device = &mut changed["components"]["schemas"]["Device"]["properties"];
    let removed = device.as_object_mut().unwrap().remove("environment");
    assert!(removed.is_some(), "{device}");
    let project = create_project(&document, "office-types");
    let changed = create_project(&changed, "office-types/changed");
    let (said, said_of_changed) = std::thread::scope(|scope| {
        let other = scope.spawn(|| compile(&changed));
        (compile(&project), other.join().unwrap())
    });
    assert_eq!(said, "");
    assert!(said_of_changed.contains("'environment' does not exist"), "the change is not found: {said_of_changed}");
}

/// The modules, by their names.
fn read_modules() -> Vec<(String, String)> {
    let mut folders = vec![web_crate().join("app/src")];
    let mut modules = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                modules.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    modules
}

/// The texts that follow `start` in a module up to the end of a string or template, with `{}` for
/// what a template inserts.
fn strings_after<'m>(module: &'m str, start: &str) -> impl Iterator<Item = String> + use<'m> {
    let found: Vec<&str> = module.split(start).skip(1).collect();
    found.into_iter().filter_map(|rest| {
        let quote = rest.chars().next().filter(|quote| ['"', '`'].contains(quote))?;
        let text = rest[1..].split(quote).next()?;
        let mut parts = text.split("${");
        let first = parts.next()?.to_owned();
        Some(parts.fold(first, |path, part| path + "{}" + part.split_once('}').map_or("", |(_, rest)| rest)))
    })
}

#[test]
fn calls_of_the_modules_are_documented() {
    let document = read_document();
    let mut calls = BTreeSet::new();
    for (name, module) in read_modules() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let direct = strings_after(&module, &format!(" call(\"{method}\", "));
            let shown = strings_after(&module, &format!("[\"{method}\", "));
            calls.extend(direct.chain(shown).map(|path| (method, path, name.clone())));
        }
        let lists = ["readAll(", "readItems(", "new ListState("].map(|start| strings_after(&module, start));
        calls.extend(lists.into_iter().flatten().map(|path| ("GET", path, name.clone())));
        let items = strings_after(&module, "new Detail(");
        calls.extend(items.map(|path| ("GET", format!("{path}/{{}}"), name.clone())));
        let changes = [" patch(", "edit: { path: "].map(|start| strings_after(&module, start));
        calls.extend(changes.into_iter().flatten().map(|path| ("PATCH", path, name.clone())));
    }
    // a path that begins with a variable is that of a list above
    calls.retain(|(_, path, _)| !path.starts_with("{}"));
    assert!(calls.len() > 50, "only {} calls were found", calls.len());
    let unknown: Vec<_> = calls.iter().filter(|(method, path, _)| !is_documented(&document, method, path)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}
