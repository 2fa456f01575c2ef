//! What keeps people with assistive technology from using a page: what axe-core finds, and controls
//! without a name in the accessibility tree of the browser.

use serde_json::{Value, json};

use crate::clients::find_node_file;
use crate::{Browser, OfficePage};

/// The rules of axe-core that are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxeRules {
    /// All rules that axe-core applies by default.
    Default,
    /// The contrast of texts with their background, which a color scheme changes.
    ColorContrast,
}

/// Roles of elements that people operate.
const CONTROLS: [&str; 15] = [
    "button",
    "checkbox",
    "combobox",
    "dialog",
    "link",
    "listbox",
    "menuitem",
    "menuitemradio",
    "option",
    "radio",
    "searchbox",
    "spinbutton",
    "switch",
    "tab",
    "textbox",
];

/// Lists what axe-core finds in the page that is serious or critical.
#[track_caller]
pub fn find_axe_faults(browser: &Browser, rules: AxeRules) -> Vec<String> {
    if browser.run("return typeof window.axe") != json!("object") {
        let source = std::fs::read_to_string(find_node_file("axe-core/axe.min.js"));
        let source = source.expect("axe-core is missing: tests/run install");
        browser.devtools("Runtime.evaluate", &json!({ "expression": source }));
    }
    let mut options = json!({ "resultTypes": ["violations"], "preload": false });
    if rules == AxeRules::ColorContrast {
        options["runOnly"] = json!(["color-contrast"]);
    }
    let run = format!(
        "axe.run(document, {options}).then(found => found.violations.filter(each => ['serious', \
         'critical'].includes(each.impact)).flatMap(each => each.nodes.map(node => `${{each.id}}: ${{node.target}}: \
         ${{node.html.slice(0, 160)}}: ${{node.failureSummary.split('\\n')[1]}}`)), error => ['axe: ' + error])"
    );
    let found = browser.run_async(&run);
    let found = found.as_array().unwrap_or_else(|| panic!("axe-core did not run: {found}"));
    found.iter().map(|each| each.as_str().unwrap_or_default().to_owned()).collect()
}

/// Lists the controls that have no name for a screen reader, each with its role.
#[track_caller]
pub fn find_unnamed_controls(browser: &Browser) -> Vec<String> {
    let tree = browser.devtools("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let role = |node: &Value| node["role"]["value"].as_str().unwrap_or_default().to_owned();
    let controls = nodes.iter().filter(|node| node["ignored"] != json!(true) && CONTROLS.contains(&&*role(node)));
    let named = |node: &&Value| node["name"]["value"].as_str().is_some_and(|name| !name.trim().is_empty());
    assert!(controls.clone().any(|node| named(&node)), "no control was found");
    let describe = |node: &Value| format!("{} without a name: {}", role(node), node["properties"]);
    controls.filter(|node| !named(node)).map(describe).collect()
}

/// A desktop, and a screen as wide as a desktop's 1280 pixels at 400 %.
const SCREENS: [(u32, u32); 2] = [(320, 640), (1280, 800)];

/// Asserts that nobody is kept from using what the page shows, on wide and narrow screens, light
/// and dark.
#[track_caller]
pub fn assert_accessible(page: &OfficePage) {
    page.wait_until_settled();
    let mut faults = Vec::new();
    for (width, height) in SCREENS {
        page.browser.resize(width, height);
        faults.extend(find_unnamed_controls(&page.browser));
        for (scheme, rules) in [("dark", AxeRules::ColorContrast), ("light", AxeRules::Default)] {
            page.browser.set_color_scheme(scheme);
            faults.extend(find_axe_faults(&page.browser, rules));
        }
        let needed = page.browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
        if needed > u64::from(width) {
            faults.push(format!("{needed} pixels wide"));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}
