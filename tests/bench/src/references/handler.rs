//! A bare actix handler that sends the same bytes and headers as tillgate and writes the same log
//! lines. It checks nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// The argument with which this program runs as the bare handler; the file with the response
/// follows it.
pub(crate) const HANDLER_ARGUMENT: &str = "--bare-handler";

const HANDLER_PATH: &str = "/api/v1/sessions/current";

/// The command of a server that sends this response, which is stored in this folder meanwhile.
pub(crate) fn handler_command(folder: &Path, head: &str, body: &[u8]) -> Command {
    let file = folder.join("response");
    fs::write(&file, [head.as_bytes(), body].concat()).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(HANDLER_ARGUMENT).arg(file);
    command
}

/// Serves the response in this file until a signal ends the process.
pub(crate) fn serve_handler(file: &PathBuf) {
    let (writer, _lines) = tracing_appender::non_blocking(std::io::stderr());
    let printed = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    tracing_subscriber::registry().with(printed.with_filter(EnvFilter::new("info"))).init();
    let response = fs::read(file).unwrap();
    let (_, begins) = crate::load_generator::parse_response(&response).unwrap();
    let (head, body) = response.split_at(begins);
    let headers: Vec<(HeaderName, HeaderValue)> = std::str::from_utf8(head)
        .unwrap()
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        // actix sends these headers itself
        .filter(|(name, _)| !["content-length", "date", "connection"].contains(name))
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let body = web::Bytes::copy_from_slice(body);
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let (headers, body) = (headers.clone(), body.clone());
            App::new().route(
                HANDLER_PATH,
                web::get().to(move |request: HttpRequest| {
                    let (headers, body) = (headers.clone(), body.clone());
                    async move { check_and_answer(&request, &headers, body) }
                }),
            )
        })
        .bind("127.0.0.1:0")
        .unwrap();
        println!("listening on http://{}", server.addrs()[0]);
        server.run().await.unwrap();
    });
}

fn check_and_answer(request: &HttpRequest, headers: &[(HeaderName, HeaderValue)], body: web::Bytes) -> HttpResponse {
    let begun = actix_web::rt::time::Instant::now();
    let mut response = HttpResponse::Ok();
    for header in headers {
        response.insert_header(header.clone());
    }
    let response = response.body(body);
    tracing::info!(
        target: "tillgate::access",
        method = request.method().as_str(),
        path = HANDLER_PATH,
        status = response.status().as_u16(),
        micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        address = request.peer_addr().map(|peer| tracing::field::display(peer.ip())),
        mount = "native",
        trace = "5d1f0a9c3b7e24680000000000000000",
        "request"
    );
    response
}
