//! A blocking HTTP client for single requests.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::load_generator::parse_response;

/// Sends a complete request and returns the status, the head and the body of the response.
pub(crate) fn send_request(stream: &mut TcpStream, request: &[u8]) -> (u16, String, Vec<u8>) {
    stream.write_all(request).unwrap();
    let mut response = Vec::with_capacity(4096);
    let mut part = [0; 16384];
    loop {
        let read = stream.read(&mut part).unwrap();
        assert!(read > 0, "the server closed a connection");
        response.extend_from_slice(&part[..read]);
        if let Some((status, body)) = parse_response(&response) {
            let rest = response.split_off(body);
            return (status, String::from_utf8(response).unwrap(), rest);
        }
    }
}

/// Opens a connection with `TCP_NODELAY`.
pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends a GET request over a new connection.
pub(crate) fn get(address: &str, path: &str) -> (u16, String, Vec<u8>) {
    send_request(&mut connect(address), format!("GET {path} HTTP/1.1\r\nhost: till.example\r\n\r\n").as_bytes())
}
