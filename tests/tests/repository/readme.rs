//! The README is correct: its curl commands run in a shell against the shop that it starts, and
//! their output is compared with what it shows. `…` stands for any text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tillgate_tests::{DatabaseEngine, Installation, InstallationSnapshot, RunningServer};

fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The fenced code blocks of a page, each with its language.
fn read_blocks(page: &str) -> Vec<(String, String)> {
    tillgate_tests::markdown_pages::read_blocks(page).into_iter().map(|block| (block.language, block.text)).collect()
}

/// Whether the output is what the page shows, with `…` for any text between quotation marks, or for
/// any bare value. Line breaks and the indentation behind them belong to the page.
fn matches_shown(expected: &str, actual: &str) -> bool {
    let tight = |text: &str| text.lines().map(str::trim_start).collect::<Vec<_>>().concat();
    let (expected, actual) = (tight(expected), tight(actual));
    let mut parts = expected.split('…');
    let mut before = parts.next().unwrap_or_default();
    let Some(mut rest) = actual.strip_prefix(before) else { return false };
    for part in parts {
        let end = if before.ends_with('"') { rest.find('"') } else { rest.find([',', '}']) };
        let Some(after) = rest[end.unwrap_or(rest.len())..].strip_prefix(part) else { return false };
        (rest, before) = (after, part);
    }
    rest.is_empty()
}

/// The pages whose commands are run, and how many of these show their output.
const DEMO_PAGES: [(&str, usize); 8] = [
    ("docs/oauth.md", 3),
    ("docs/dialects/krmpesan.md", 3),
    ("README.md", 5),
    ("docs/office.md", 5),
    ("docs/dialects/fiuu.md", 5),
    ("docs/dialects/kasir.md", 9),
    ("docs/dialects/portos.md", 12),
    ("docs/dialects/posstar.md", 6),
];

#[test]
fn demo_pages_are_tried() {
    let starts = |page: &String| read_blocks(page).iter().any(|(_, block)| block.contains("-- demo"));
    let mut tried = DEMO_PAGES.map(|(page, _)| page.to_owned());
    tried.sort();
    assert_eq!(tillgate_tests::markdown_pages::list_pages().into_iter().filter(starts).collect::<Vec<_>>(), tried);
}

#[test]
#[ignore = "requires curl"]
fn pages_print_what_they_show() {
    // the pages start the same demo, which is created once
    let mut shops: BTreeMap<String, InstallationSnapshot> = BTreeMap::new();
    for (page, lines) in DEMO_PAGES {
        assert_eq!(run_page(page, &mut shops), lines, "the lines of {page} were not found");
    }
}

fn run_page(page: &str, shops: &mut BTreeMap<String, InstallationSnapshot>) -> usize {
    let blocks = read_blocks(page);
    let start = blocks.iter().position(|(_, block)| block.contains("-- demo")).unwrap();
    let line = blocks[start].1.split_once("-- ").unwrap().1;
    let demo: Vec<&str> = line.split_whitespace().collect();
    let shop = shops.entry(line.to_owned()).or_insert_with(|| {
        let original = Installation::new(DatabaseEngine::Sqlite);
        original.secrets().add("open-the-shop");
        drop(RunningServer::start(&original, &demo));
        InstallationSnapshot::take_of(&original)
    });
    let installation = shop.new_installation();
    let server = RunningServer::start(&installation, &demo);
    let folder = installation.folder();
    let functions = blocks.iter().filter(|(language, _)| language == "sh").flat_map(|(_, block)| block.lines());
    let defined = functions.filter(|line| line.contains("() {")).collect::<Vec<_>>().join("\n");
    let mut tried = 0;
    for pair in blocks[start + 1..].windows(2) {
        let [(sh, command), (json, expected)] = pair else { unreachable!() };
        if sh != "sh" || json != "json" {
            continue;
        }
        // All blocks run in the same shell session: functions that earlier ones define are
        // available.
        let script = format!("{defined}\n{command}").replace("http://127.0.0.1:8080", server.address());
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder).output().unwrap();
        let actual = String::from_utf8(output.stdout).unwrap();
        assert!(matches_shown(expected, &actual), "{page} shows\n{expected}\nbut\n{command}\nprints\n{actual}");
        tried += 1;
    }
    tried
}

/// The example of a login at `/docs` logs in at the demo shop that the README starts.
#[test]
fn example_login_of_the_api_page_works_in_the_demo() {
    let blocks = read_blocks("README.md");
    let (_, flags) = blocks.iter().find_map(|(_, block)| block.split_once("-- demo ")).unwrap();
    let installation = Installation::new(DatabaseEngine::Sqlite);
    installation.secrets().add("open-the-shop");
    let demo: Vec<&str> = ["demo", "--small"].into_iter().chain(flags.split_whitespace()).collect();
    let server = RunningServer::start(&installation, &demo);
    let till = server.new_till();
    let document = till.get("/openapi.json").expect_status(200).json();
    let call = &document["paths"]["/api/v1/sessions"]["post"];
    let example = &call["requestBody"]["content"]["application/json"]["example"];
    till.post("/api/v1/sessions", example).expect_status(201);
}

#[test]
fn readme_embeds_the_compiled_example() {
    let example = std::fs::read_to_string(repository_root().join("crates/auth-core/examples/embed.rs")).unwrap();
    let compiled = example.split_once("// [embed]\n").unwrap().1.split_once("// [/embed]").unwrap().0;
    assert_eq!(find_block("README.md", "rust"), compiled, "README.md and examples/embed.rs differ");
}

/// A package outside of this workspace, next to the repository as the pages assume. It uses the
/// versions of this workspace, so nothing has to be downloaded.
fn create_separate_package(name: &str, dependencies: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    // the same folder in every run: cargo compiles the crates of another one again
    let folder = FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("separate-packages");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(repository_root().canonicalize().unwrap(), folder.join("tillgate")).unwrap();
        folder
    });
    let package = folder.join(name);
    std::fs::create_dir_all(package.join("src")).unwrap();
    let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n{dependencies}");
    // it is not part of this workspace, whose target folder may contain it
    std::fs::write(package.join("Cargo.toml"), format!("{manifest}\n[workspace]\n")).unwrap();
    std::fs::copy(repository_root().join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    package
}

/// Runs cargo in such a package, and returns what it prints.
fn run_cargo(package: &Path, arguments: &[&str]) -> String {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("embed");
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo.args(arguments).current_dir(package).env("CARGO_TARGET_DIR", target).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The first block of a page in this language.
fn find_block(page: &str, language: &str) -> String {
    read_blocks(page).into_iter().find(|(each, _)| each == language).unwrap().1
}

/// Builds a separate crate with the dependencies and the program that the README shows, as a reader
/// would create it next to this repository.
#[test]
fn readme_embeds_the_standalone_example() {
    let package = create_separate_package("shop", &find_block("README.md", "toml"));
    std::fs::write(package.join("src/main.rs"), find_block("README.md", "rust")).unwrap();
    let said = run_cargo(&package, &["run", "--quiet", "--offline"]);
    assert!(said.contains("may close tickets: true") && said.contains("after the logout:"), "{said}");
}

/// Copies the skeleton into a separate crate with the dependencies of docs/own-store.md, as a
/// reader would do it. Nothing is implemented in it, so its contract tests are listed only.
#[test]
fn copied_skeleton_of_a_store_has_the_contract_tests() {
    let package = create_separate_package("own-store", &find_block("docs/own-store.md", "toml"));
    let skeleton = std::fs::read_to_string(repository_root().join("crates/testkit/examples/skeleton.rs")).unwrap();
    let (module, main) = skeleton.split_once("\nfn main() {").unwrap();
    assert_eq!(main.matches("\n}").count(), 1, "nothing follows");
    std::fs::write(package.join("src/store.rs"), module).unwrap();
    std::fs::write(package.join("src/lib.rs"), "pub mod store;\n").unwrap();
    let tests = run_cargo(&package, &["test", "--quiet", "--offline", "--lib", "--", "--list"]);
    for name in ["store::contract::sessions::", "store::contract::races::concurrent_logins_fill_one_seat: test"] {
        assert!(tests.contains(name), "{name}: {tests}");
    }
}

/// The number of ports that docs/own-store.md mentions is that of `AuthTx`.
#[test]
fn own_store_page_counts_the_ports() {
    let code = std::fs::read_to_string(repository_root().join("crates/auth-core/src/ports.rs")).unwrap();
    let body = code.split_once("pub trait AuthTx").unwrap().1.split_once("\n}").unwrap().0;
    let ports = body.matches("(&mut self) -> &mut dyn ").count();
    let page = std::fs::read_to_string(repository_root().join("docs/own-store.md")).unwrap();
    assert!(page.contains(&format!("to the {ports} ports of `tillgate_auth_core::ports`")), "there are {ports}");
}

/// The dependencies that docs/own-store.md names are crates of this repository.
#[test]
fn own_store_page_names_existing_crates() {
    let toml = find_block("docs/own-store.md", "toml");
    let named = toml.lines().filter_map(|line| line.split_once(" = { path = \"../tillgate/"));
    let mut count = 0;
    for (name, path) in named {
        let folder = path.split_once('"').unwrap().0;
        let manifest = std::fs::read_to_string(repository_root().join(folder).join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in {folder}");
        count += 1;
    }
    assert_eq!(count, 3, "{toml}");
}

#[test]
fn shown_output_is_compared_exactly() {
    assert!(matches_shown("{\"a\":\"…\",\n \"b\":1}", "{\"a\":\"x\",\"b\":1}"));
    assert!(matches_shown("{\"a\":…,\"b\":1}", "{\"a\":null,\"b\":1}"));
    assert!(!matches_shown("{\"a\":\"…\"}", "{\"a\":\"x\",\"b\":1}"));
    assert!(!matches_shown("{\"a\":\"…\",\"b\":1}", "{\"a\":\"x\",\"b\":2}"));
}
