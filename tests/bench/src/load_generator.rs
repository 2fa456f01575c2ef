//! The load generator: clients on keep-alive HTTP/1.1 connections, all on one thread, so that it
//! uses as little as possible of the cores that it shares with the measured server. It reads only
//! the status and the length of a response.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// Generates the requests of one connection.
pub(crate) trait LoadClient: 'static {
    /// Writes the next request into an empty buffer.
    fn write_request(&mut self, request: &mut Vec<u8>);
    /// Receives the response. Returns false if it is not the expected one.
    fn read_response(&mut self, status: u16, body: &[u8]) -> bool;
}

/// The durations of the warm-up and of the measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadPhases {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// The result of a load.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoadResult {
    /// The number of expected responses during the measurement.
    pub(crate) count: u64,
    /// The number of other responses by status, at any time.
    pub(crate) wrong: BTreeMap<u16, u64>,
    pub(crate) seconds: f64,
    /// The duration of each expected response in microseconds, sorted.
    pub(crate) micros: Vec<u32>,
}

impl LoadResult {
    /// Expected responses per second. An unexpected response stops the benchmark, whose number
    /// would mean something else.
    pub(crate) fn rate(&self, what: &str) -> f64 {
        assert!(self.wrong.is_empty(), "{what}: wrong responses by status: {:?}", self.wrong);
        assert!(self.count > 0, "{what}: no responses");
        self.count as f64 / self.seconds
    }

    /// The duration in milliseconds that this share of the responses did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        quantile(&self.micros, share)
    }
}

/// The quantile of sorted microseconds, in milliseconds.
pub(crate) fn quantile(sorted: &[u32], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
}

/// Lets each client send requests over its own connection as fast as they are answered. Requests in
/// progress at the end are answered before this returns, so no client loses a response.
pub(crate) fn run_load<C: LoadClient>(address: &str, clients: Vec<C>, span: LoadPhases) -> (LoadResult, Vec<C>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let from = Instant::now() + span.warm_up;
        let until = from + span.measured;
        let tasks: Vec<_> = clients
            .into_iter()
            .map(|client| tokio::task::spawn_local(run_connection(address.to_owned(), client, from, until)))
            .collect();
        let mut all = LoadResult { seconds: span.measured.as_secs_f64(), ..LoadResult::default() };
        let mut back = Vec::new();
        for task in tasks {
            let (mine, client) = task.await.unwrap();
            all.count += mine.count;
            all.micros.extend(mine.micros);
            for (status, count) in mine.wrong {
                *all.wrong.entry(status).or_default() += count;
            }
            back.push(client);
        }
        all.micros.sort_unstable();
        (all, back)
    })
}

async fn run_connection<C: LoadClient>(
    address: String,
    mut client: C,
    from: Instant,
    until: Instant,
) -> (LoadResult, C) {
    let mut measured = LoadResult::default();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut request = Vec::with_capacity(2048);
    let mut response = Vec::with_capacity(8192);
    let mut sent_at = Instant::now();
    while sent_at < until {
        request.clear();
        client.write_request(&mut request);
        stream.write_all(&request).await.unwrap();
        response.clear();
        let (status, body) = loop {
            let read = stream.read_buf(&mut response).await.unwrap();
            assert!(read > 0, "the server closed a connection");
            if let Some(whole) = parse_response(&response) {
                break whole;
            }
        };
        let answered = Instant::now();
        if !client.read_response(status, &response[body..]) {
            *measured.wrong.entry(status).or_default() += 1;
        } else if answered >= from && answered < until {
            measured.count += 1;
            measured.micros.push(to_micros(answered - sent_at));
        }
        sent_at = answered;
    }
    (measured, client)
}

pub(crate) fn to_micros(span: Duration) -> u32 {
    u32::try_from(span.as_micros()).unwrap_or(u32::MAX)
}

/// The status of a response and the offset of its body, once the response is complete.
pub(crate) fn parse_response(response: &[u8]) -> Option<(u16, usize)> {
    let head = memmem::find(response, b"\r\n\r\n")?;
    let status = std::str::from_utf8(response.get(9..12)?).ok()?.parse().ok()?;
    // as tillgate and as chromedriver send it
    let names = [b"content-length: ", b"Content-Length: "];
    let begin = names.iter().find_map(|name| Some(memmem::find(&response[..head], *name)? + name.len()));
    let length = match begin {
        Some(begin) => {
            let digits = response[begin..head].split(|byte| *byte == b'\r').next()?;
            std::str::from_utf8(digits).ok()?.parse().ok()?
        }
        None => 0,
    };
    (response.len() >= head + 4 + length).then_some((status, head + 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_is_complete_once_its_body_is() {
        let text = b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\ndate: now\r\n\r\nhello";
        assert_eq!(parse_response(text), Some((201, text.len() - 5)));
        for cut in 0..text.len() {
            assert_eq!(parse_response(&text[..cut]), None, "{cut}");
        }
        assert_eq!(parse_response(b"HTTP/1.1 204 No Content\r\n\r\n"), Some((204, 27)));
        let driver = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(parse_response(driver), Some((200, driver.len() - 2)));
        assert_eq!(parse_response(&driver[..driver.len() - 1]), None);
    }

    #[test]
    fn quantile_is_a_measured_value() {
        let sorted: Vec<u32> = (1..=100).map(|n| n * 1000).collect();
        assert_eq!((quantile(&sorted, 0.5), quantile(&sorted, 0.99), quantile(&sorted, 1.0)), (50.0, 99.0, 100.0));
        assert!(quantile(&[], 0.5).is_nan());
    }
}
