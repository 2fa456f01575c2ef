//! Slow request heads, requests that wait for the worker, and clients that disconnect.

use super::*;

#[test]
fn head_that_comes_too_slowly_is_408_and_the_end() {
    let server = TestListener::start(ListenerOptions { head_timeout: Duration::from_millis(300), ..test_options() });
    for answered in [0, 1] {
        let mut stream = server.connect();
        for _ in 0..answered {
            send_request(&mut stream, "/");
            assert!(read_response(&mut stream).contains("here"));
        }
        // partial input does not restart the timeout
        for part in ["GET / HTTP/1.1\r\n", "Host: till\r\n", "X-Slow: 1", "2", "3", "4", "5"] {
            if stream.write_all(part.as_bytes()).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let response = read_response(&mut stream);
        assert!(response.starts_with("http/1.1 408 ") && response.contains("connection: close"), "{response}");
        assert_eq!(drain(&mut stream), 0, "after {answered} responses");
    }
}

#[test]
fn whole_request_that_waits_for_the_worker_past_the_time_of_a_head_is_answered() {
    const CLIENTS: usize = 100;
    let server = TestListener::start(ListenerOptions { head_timeout: Duration::from_millis(500), ..test_options() });
    let mut clients: Vec<TcpStream> = (0..CLIENTS - 1).map(|_| server.connect()).collect();
    for stream in &mut clients {
        stream.write_all(b"GET /position HTTP/1.1\r\n").unwrap();
    }
    // the parts are read, and the time for the rest runs
    thread::sleep(Duration::from_millis(100));
    let mut blocking = server.connect();
    send_request(&mut blocking, "/busy");
    thread::sleep(Duration::from_millis(100));
    // in time, although the worker reads nothing for a second
    for stream in &mut clients {
        stream.write_all(b"Host: till\r\n\r\n").unwrap();
    }
    let mut places: Vec<usize> = clients.iter_mut().map(read_number).collect();
    places.sort_unstable();
    assert_eq!(places, (0..CLIENTS - 1).collect::<Vec<_>>());
}

/// Resets a connection (RFC 9293, 3.10.4).
fn reset(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    drop(stream);
}

#[test]
fn request_whose_connection_is_reset_is_given_up() {
    let server = TestListener::start(test_options());
    let mut kept = server.connect();
    let mut tasks = || {
        send_request(&mut kept, "/tasks");
        read_number(&mut kept)
    };
    let before = tasks();
    let mut gone = server.connect();
    send_request(&mut gone, "/never");
    wait_until("the request's task", || tasks() > before);
    reset(gone);
    wait_until("its end", || tasks() <= before);
}
