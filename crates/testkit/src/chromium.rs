//! How the tests and the benchmark start Chromium.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The arguments of a headless Chromium without a sandbox, which root cannot have: it must open
/// only pages of servers that the caller has started.
const HEADLESS_ARGUMENTS: [&str; 10] = [
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

/// How often the start of chromedriver is tried.
const MAX_STARTS: usize = 5;

/// Starts chromedriver on a free port, and returns it with the port; `None` if it is not installed.
///
/// It chooses a port that is free on IPv4 and ends if that is in use on IPv6, so it is started
/// again.
pub fn start_driver() -> Option<(Child, u16)> {
    for _ in 0..MAX_STARTS {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = match command.spawn() {
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            started => started.unwrap(),
        };
        let mut output = BufReader::new(driver.stdout.take().unwrap());
        let port = output.by_ref().lines().map_while(Result::ok).find_map(|line| parse_port(&line));
        if let Some(port) = port {
            std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
            return Some((driver, port));
        }
        driver.wait().unwrap();
    }
    panic!("chromedriver did not start {MAX_STARTS} times");
}

/// The capabilities of a new session (`WebDriver`, 7): a headless Chromium with this profile that
/// keeps these logs.
pub fn build_capabilities(profile: &Path, logs: &[&str]) -> Value {
    let profile = format!("--user-data-dir={}", profile.display());
    let arguments: Vec<&str> = HEADLESS_ARGUMENTS.into_iter().chain([profile.as_str()]).collect();
    let logging: BTreeMap<&str, &str> = logs.iter().map(|log| (*log, "ALL")).collect();
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": { "args": arguments },
        "goog:loggingPrefs": logging,
    } } })
}

/// The port in the line by which chromedriver says that it has started.
fn parse_port(line: &str) -> Option<u16> {
    line.trim().strip_suffix('.')?.rsplit_once("on port ")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_is_in_the_last_line_of_the_start() {
        assert_eq!(parse_port("ChromeDriver was started successfully on port 36035."), Some(36_035));
        for other in ["Starting ChromeDriver 156.0 on port 0", "Only local connections are allowed.", ""] {
            assert_eq!(parse_port(other), None, "{other}");
        }
    }
}
