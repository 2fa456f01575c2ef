//! Requests that are sent before earlier ones are answered.

use super::*;

/// How many requests the server has answered before this one.
fn position(server: &TestListener) -> usize {
    let mut stream = server.connect();
    send_request(&mut stream, "/position");
    read_number(&mut stream)
}

/// Everything until the server closes the connection.
fn read_to_end(mut stream: TcpStream) -> String {
    let mut responses = String::new();
    stream.read_to_string(&mut responses).unwrap();
    responses.to_ascii_lowercase()
}

#[test]
fn request_after_an_announced_close_is_not_processed() {
    let server = TestListener::start(test_options());
    for announcing in
        ["Connection: close", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c", "Connection: upgrade"]
    {
        for path in ["/position", "/", "/slow"] {
            let before = position(&server);
            let mut stream = server.connect();
            let first = format!("GET {path} HTTP/1.1\r\nHost: till\r\n{announcing}\r\n\r\n");
            let second = "POST /position HTTP/1.1\r\nHost: till\r\nContent-Length: 2\r\n\r\n{}";
            // an incomplete one lets the connection linger
            let third = match path {
                "/" => "POST /position HTTP/1.1\r\nHost: till\r\nContent-Length: 20\r\n\r\n{}",
                _ => second,
            };
            stream.write_all(format!("{first}{second}{second}{third}").as_bytes()).unwrap();
            let responses = read_to_end(stream);
            assert_eq!(responses.matches("http/1.1").count(), 1, "{announcing} {path}: {responses}");
            assert!(responses.starts_with("http/1.1 200 ") && responses.contains("connection: close"), "{responses}");
            let own = 1 + usize::from(path == "/position");
            assert_eq!(position(&server), before + own, "{announcing} {path}: it was processed");
        }
    }
}

#[test]
fn large_response_that_announces_a_close_is_whole() {
    let server = TestListener::start(test_options());
    let mut stream = server.connect();
    let requests =
        "GET /large HTTP/1.1\r\nHost: till\r\nConnection: close\r\n\r\nGET /position HTTP/1.1\r\nHost: till\r\n\r\n";
    stream.write_all(requests.as_bytes()).unwrap();
    let received = drain(&mut stream);
    assert!((LARGE_BODY_BYTES..LARGE_BODY_BYTES + 1024).contains(&received), "{received}");
    assert_eq!(position(&server), 0);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = TestListener::start(test_options());
    let mut stream = server.connect();
    let request = "POST /position HTTP/1.1\r\nHost: till\r\nContent-Length: 2\r\n\r\n{}";
    let last = request.replace("Content-Length", "Connection: close\r\nContent-Length");
    stream.write_all(format!("{request}{request}{last}").as_bytes()).unwrap();
    let responses = read_to_end(stream);
    let bodies: Vec<_> =
        responses.split("http/1.1 200 ").skip(1).filter_map(|response| response.split("\r\n\r\n").nth(1)).collect();
    assert_eq!(bodies, ["0", "1", "2"], "{responses}");
}
