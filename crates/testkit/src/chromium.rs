//! How the tests and the benchmark start Chromium.

/// The arguments of a headless Chromium without a sandbox, which root cannot have: it must open
/// only pages of servers that the caller has started.
pub const HEADLESS_ARGUMENTS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--window-size=1280,1024",
];
