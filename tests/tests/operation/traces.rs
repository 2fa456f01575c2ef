//! Traces reach a collector, which is part of the test, over a real socket.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use tillgate_tests::{DatabaseEngine, Installation, PASSWORD, wait_until};

/// Reads requests and answers each with 200. The head and body of each go to the channel.
fn collect_traces(listener: TcpListener) -> mpsc::Receiver<Vec<u8>> {
    let (tell, traces) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, tell) = (stream.unwrap(), tell.clone());
            std::thread::spawn(move || {
                let (mut request, mut part) = (Vec::new(), [0; 16384]);
                while let Ok(read @ 1..) = stream.read(&mut part) {
                    request.extend_from_slice(&part[..read]);
                    let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap_or("0");
                    if request.len() < end + 4 + length.trim().parse::<usize>().unwrap() {
                        continue;
                    }
                    drop(tell.send(std::mem::take(&mut request)));
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                }
            });
        }
    });
    traces
}

#[test]
#[ignore = "requires OpenSSL"]
fn spans_are_exported_without_secrets() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    let traces = collect_traces(listener);
    let installation =
        Installation::with_fixture(DatabaseEngine::Sqlite).with_every_feature().with_setting("LOG__TRACES", &collector);
    let mut server = installation.serve();
    let mut till = server.new_till().login("cashier", "P01");
    assert_eq!(till.refresh().status(), 200);
    assert!(server.stop().success(), "what is still to be traces is traces before it ends");
    let mut all = Vec::new();
    wait_until(Duration::from_secs(20), "a trace of the refresh", || {
        all.extend(traces.try_iter().flatten());
        let text = String::from_utf8_lossy(&all);
        text.contains("POST /v1/traces") && text.contains("tillgate") && text.contains("/api/v1/sessions/refresh")
    });
    let text = String::from_utf8_lossy(&all);
    assert!(!text.contains(PASSWORD));
    installation.secrets().assert_absent("the traces", &text);
}
