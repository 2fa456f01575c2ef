//! Sends requests at a fixed rate, whether or not earlier ones are answered.

use std::time::{Duration, Instant};

use crate::http_client;
use crate::load_generator::{LoadClient, LoadResult, to_micros};

/// The moment from which the duration of a response is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LatencyStart {
    /// The moment at which the request was due: a stalled server is charged for all requests that
    /// would have come meanwhile.
    Due,
    /// The moment at which it was sent, which may be later, since a connection has one request in
    /// progress.
    Sent,
}

/// Sends `rate` requests per second. They are distributed over the clients, each with its own
/// connection.
pub(crate) fn run_open_loop<C: LoadClient + Send>(
    address: &str,
    clients: Vec<C>,
    rate: u32,
    span: Duration,
    from: LatencyStart,
) -> (LoadResult, Vec<C>) {
    let begun = Instant::now() + Duration::from_millis(100);
    let ticks = (span.as_secs_f64() * f64::from(rate)) as usize;
    let apart = Duration::from_secs(1) / rate;
    let step = clients.len();
    let one = |number: usize, mut client: C| {
        let mut stream = http_client::connect(address);
        let mut measured = LoadResult::default();
        let mut request = Vec::new();
        for tick in (number..ticks).step_by(step) {
            let due = begun + apart * u32::try_from(tick).unwrap();
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            request.clear();
            client.write_request(&mut request);
            let counted = if from == LatencyStart::Due { due } else { Instant::now() };
            let (status, _, body) = http_client::send_request(&mut stream, &request);
            if client.read_response(status, &body) {
                measured.count += 1;
                measured.micros.push(to_micros(counted.elapsed()));
            } else {
                *measured.wrong.entry(status).or_default() += 1;
            }
        }
        (measured, client)
    };
    let mut all = LoadResult { seconds: span.as_secs_f64(), ..LoadResult::default() };
    let mut back = Vec::new();
    std::thread::scope(|scope| {
        let one = &one;
        let threads: Vec<_> =
            clients.into_iter().enumerate().map(|(number, client)| scope.spawn(move || one(number, client))).collect();
        for thread in threads {
            let (mine, client) = thread.join().unwrap();
            all.count += mine.count;
            all.micros.extend(mine.micros);
            for (status, count) in mine.wrong {
                *all.wrong.entry(status).or_default() += count;
            }
            back.push(client);
        }
    });
    all.micros.sort_unstable();
    (all, back)
}
