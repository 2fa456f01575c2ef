//! Modules do not import each other in cycles. A parent and its descendants count as one place.

use std::collections::{BTreeMap, BTreeSet};

use super::assert_none;
use super::source::crate_sources;

/// A module by its path in a crate.
type Module = Vec<String>;

/// Expands the braces of a `use` into single paths.
fn expand(path: &str) -> Vec<String> {
    let Some(open) = path.find('{') else {
        return vec![path.split(" as ").next().unwrap().trim().to_owned()];
    };
    let (head, body) = (path[..open].trim(), &path[open + 1..path.rfind('}').unwrap_or(path.len())]);
    let (mut depth, mut part, mut parts) = (0, String::new(), Vec::new());
    for c in body.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    let full = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    full.flat_map(expand).map(|rest| format!("{head}{rest}")).collect()
}

/// Resolves a path as a module sees it to a module and the name that remains; `None` for paths of
/// other crates.
fn resolve(modules: &BTreeMap<Module, String>, from: &Module, path: &str) -> Option<(Module, Option<String>)> {
    let mut segments = path.split("::").map(str::trim).filter(|segment| !segment.is_empty()).peekable();
    let mut base = match *segments.peek()? {
        "crate" => Vec::new(),
        "self" | "super" => from.clone(),
        first => {
            let child = [from.as_slice(), &[first.to_owned()]].concat();
            return modules.contains_key(&child).then(|| resolve(modules, from, &format!("self::{path}")))?;
        }
    };
    while let Some(step) = segments.next_if(|segment| ["crate", "self", "super"].contains(segment)) {
        if step == "super" {
            base.pop()?;
        }
    }
    while let Some(segment) = segments.peek() {
        base.push((*segment).to_owned());
        if !modules.contains_key(&base) {
            base.pop();
            break;
        }
        segments.next();
    }
    Some((base, segments.next().map(str::to_owned)))
}

/// The paths that a module names: those of its `use` declarations, with whether these are exported,
/// and those in expressions.
fn named_paths(code: &str) -> Vec<(String, bool)> {
    // without the tests of the file
    let code = code.split("#[cfg(test)]\nmod ").next().unwrap();
    let (mut paths, mut rest) = (Vec::new(), String::new());
    for statement in code.split_inclusive(';') {
        let start = statement.rfind("use ").filter(|start| statement[..*start].ends_with([' ', '\n']) || *start == 0);
        match start.filter(|start| !statement[*start..].contains('(')) {
            Some(start) => {
                let line = statement[..start].rsplit('\n').next().unwrap().trim();
                let exported = line.starts_with("pub");
                let used = statement[start + 4..].trim_end_matches(';').replace('\n', " ");
                paths.extend(expand(&used).into_iter().map(|path| (path, exported)));
                rest.push_str(&statement[..start]);
            }
            None => rest.push_str(statement),
        }
    }
    for prefix in ["crate::", "super::"] {
        for (start, _) in rest.match_indices(prefix) {
            let path: String =
                rest[start..].chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
            paths.push((path, false));
        }
    }
    paths
}

/// The modules that each module of a crate uses, without its ancestors and descendants.
fn module_graph(modules: &BTreeMap<Module, String>) -> BTreeMap<&Module, BTreeSet<Module>> {
    let named: BTreeMap<&Module, Vec<(String, bool)>> =
        modules.iter().map(|(module, code)| (module, named_paths(code))).collect();
    let mut exports: BTreeMap<(Module, String), Module> = BTreeMap::new();
    for (module, paths) in &named {
        for (path, _) in paths.iter().filter(|(_, exported)| *exported) {
            if let Some((base, Some(name))) = resolve(modules, module, path) {
                exports.insert(((*module).clone(), name), base);
            }
        }
    }
    let mut graph = BTreeMap::new();
    for (module, paths) in named {
        let mut used = BTreeSet::new();
        for (mut base, name) in paths.iter().filter_map(|(path, _)| resolve(modules, module, path)) {
            // a re-exported item belongs to the module that defines it
            for _ in 0..5 {
                match name.as_ref().and_then(|name| exports.get(&(base.clone(), name.clone()))) {
                    Some(defined) if *defined != base => base.clone_from(defined),
                    _ => break,
                }
            }
            if !base.starts_with(module) && !module.starts_with(&base) {
                used.insert(base);
            }
        }
        graph.insert(module, used);
    }
    graph
}

/// A shortest path of imports from a module back to itself.
fn cycle_through(graph: &BTreeMap<&Module, BTreeSet<Module>>, start: &Module) -> Option<Vec<Module>> {
    let mut paths = std::collections::VecDeque::from([vec![start.clone()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = paths.pop_front() {
        for next in graph.get(way.last().unwrap()).into_iter().flatten() {
            if next == start {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                paths.push_back([way.as_slice(), std::slice::from_ref(next)].concat());
            }
        }
    }
    None
}

#[test]
fn modules_import_each_other_in_no_cycle() {
    let mut crates: BTreeMap<String, BTreeMap<Module, String>> = BTreeMap::new();
    for source in crate_sources() {
        let mut module: Module = source.path.trim_end_matches(".rs").split('/').skip(3).map(str::to_owned).collect();
        if ["lib", "main", "mod"].contains(&module.last().unwrap().as_str()) {
            module.pop();
        }
        let name = source.path.split('/').nth(1).unwrap().to_owned();
        crates.entry(name).or_default().entry(module).or_default().push_str(&source.code);
    }
    let mut found = BTreeSet::new();
    for (name, modules) in &crates {
        let graph = module_graph(modules);
        for module in modules.keys() {
            if let Some(mut cycle) = cycle_through(&graph, module) {
                // report a cycle once, not once for each of its modules
                let first = (0..cycle.len()).min_by_key(|index| &cycle[*index]).unwrap();
                cycle.rotate_left(first);
                cycle.push(cycle[0].clone());
                let way: Vec<String> = cycle.iter().map(|module| module.join("::")).collect();
                found.insert(format!("{name}: {}", way.join(" -> ")));
            }
        }
    }
    let found: Vec<String> = found.into_iter().collect();
    assert_none(&found, "move what both modules need into a module below both");
}
