//! The simulated cashiers: one action at one till at a time, each a request of the native API.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use tillgate_domain::Secret;

use super::loopback_client::{LoopbackClient, Request, Response};
use crate::command::demo::assortment::DemoArticle;
use crate::command::demo::seeded_random::SeededRandom;
use crate::command::demo::staff::{Person, TILLS, Till};

/// How long somebody does something else after a refused login, or a session that others ended.
const REST_TIME: Duration = Duration::from_mins(2);

/// How long before its expiry an access token is refreshed.
const REFRESH_MARGIN: Duration = Duration::from_mins(1);

/// A person with their password.
pub(super) struct SimulatedWorker {
    person: &'static Person,
    password: Secret<String>,
    rests_until: Duration,
}

impl SimulatedWorker {
    pub(super) fn new(person: &'static Person, password: Secret<String>) -> Self {
        Self { person, password, rests_until: Duration::ZERO }
    }
}

/// A person who is logged in at a till.
struct Seat {
    person: &'static str,
    access_token: Secret<String>,
    refresh_token: Secret<String>,
    expires_at: Duration,
    ticket: Option<OpenTicket>,
    /// The id of the newest closed ticket.
    last_closed: Option<String>,
}

/// A ticket on which a person works.
struct OpenTicket {
    id: String,
    version: String,
    /// What is due, in the currency of the ticket.
    payable: String,
    items: Vec<Value>,
}

/// The simulated cashiers, and the tills at which they are logged in.
pub(super) struct Staff {
    client: LoopbackClient,
    /// The prefix of the native API.
    api: String,
    workers: Vec<SimulatedWorker>,
    seats: BTreeMap<&'static str, Seat>,
    random: SeededRandom,
    speed: u32,
}

impl Staff {
    pub(super) fn new(
        client: LoopbackClient,
        api: &str,
        workers: Vec<SimulatedWorker>,
        random: SeededRandom,
        speed: u32,
    ) -> Self {
        Self { client, api: api.to_owned(), workers, seats: BTreeMap::new(), random, speed }
    }

    /// One action at one till. `now` is by the monotonic clock.
    pub(super) fn run_action(&mut self, now: Duration) -> io::Result<()> {
        let Some(till) = self.random.choose(TILLS) else { return Ok(()) };
        let Some(mut seat) = self.seats.remove(till.name) else { return self.log_in(till, now) };
        let stays = self.work_at_till(till, &mut seat, now);
        match stays {
            Ok(false) => self.pause_worker(seat.person, now),
            // without a response, the person tries again
            Ok(true) | Err(_) => drop(self.seats.insert(till.name, seat)),
        }
        stays.map(drop)
    }

    fn pause_worker(&mut self, person: &str, now: Duration) {
        for worker in self.workers.iter_mut().filter(|worker| worker.person.name == person) {
            worker.rests_until = now.saturating_add(REST_TIME / self.speed);
        }
    }

    fn log_in(&mut self, till: &'static Till, now: Duration) -> io::Result<()> {
        let seated: Vec<&str> = self.seats.values().map(|seat| seat.person).collect();
        let free: Vec<&SimulatedWorker> = self
            .workers
            .iter()
            .filter(|worker| worker.rests_until <= now && !seated.contains(&worker.person.name))
            .filter(|worker| worker.person.devices.iter().any(|(device, _)| *device == till.name))
            .collect();
        let Some(worker) = self.random.choose(&free) else { return Ok(()) };
        let person = worker.person.name;
        let password = if self.random.chance(4) { "a slip of the hand" } else { worker.password.expose().as_str() };
        let body = json!({ "login": person, "password": password, "device": till.name });
        let response = self.send("POST", "/sessions", None, None, Some(&body))?;
        match Seat::from_response(person, &response, now) {
            Some(seat) => drop(self.seats.insert(till.name, seat)),
            // the server is still starting, or overloaded
            None if response.status == 503 => {}
            None => self.pause_worker(person, now),
        }
        Ok(())
    }

    /// Works at the till; returns whether the person is still logged in.
    fn work_at_till(&mut self, till: &'static Till, seat: &mut Seat, now: Duration) -> io::Result<bool> {
        if seat.expires_at <= now.saturating_add(REFRESH_MARGIN) {
            let body = json!({ "refresh_token": seat.refresh_token.expose() });
            let response = self.send("POST", "/sessions/refresh", None, None, Some(&body))?;
            if response.status == 401 {
                return Ok(false);
            }
            seat.store_tokens(&response, now);
        }
        let choice = self.random.number_between(0, 99);
        let response = match seat.ticket.take() {
            None if choice < 75 => {
                let assortment = till.store.assortment();
                let items = [self.draw_item(assortment.articles)];
                let body = json!({ "currency": assortment.currency, "items": items });
                let response = self.send_as(seat, "POST", "/tickets", None, Some(&body))?;
                seat.ticket = OpenTicket::from_response(&response);
                response
            }
            None if choice < 84 => self.send_as(seat, "GET", "/sessions/current", None, None)?,
            None if choice < 92 => {
                self.send_as(seat, "DELETE", "/sessions/current", None, None)?;
                return Ok(false);
            }
            None => match seat.last_closed.take() {
                Some(id) => {
                    let path = format!("/tickets/{id}/refund");
                    let response = self.send_as(seat, "POST", &path, None, Some(&json!({})))?;
                    seat.ticket = OpenTicket::from_response(&response);
                    response
                }
                None => self.send_as(seat, "GET", "/tickets?state=open&limit=5", None, None)?,
            },
            Some(ticket) if choice < 40 && !ticket.is_refund() => {
                let mut items = ticket.items.clone();
                items.push(self.draw_item(till.store.assortment().articles));
                let path = format!("/tickets/{}", ticket.id);
                let body = json!({ "items": items });
                let response = self.send_as(seat, "PATCH", &path, Some(&ticket.version), Some(&body))?;
                seat.ticket = OpenTicket::from_response(&response);
                response
            }
            Some(ticket) if choice < 94 => {
                let path = format!("/tickets/{}/close", ticket.id);
                let means = if self.random.chance(40) { "card" } else { "cash" };
                let body = json!({ "payments": [{ "means": means, "amount": ticket.payable }] });
                let response = self.send_as(seat, "POST", &path, Some(&ticket.version), Some(&body))?;
                if response.status == 200 && !ticket.is_refund() {
                    seat.last_closed = Some(ticket.id);
                }
                response
            }
            Some(ticket) => {
                let path = format!("/tickets/{}?reason=The%20customer%20left", ticket.id);
                let response = self.send_as(seat, "DELETE", &path, Some(&ticket.version), None)?;
                if response.status == 403 {
                    seat.ticket = Some(ticket);
                }
                response
            }
        };
        Ok(response.status != 401)
    }

    fn draw_item(&mut self, articles: &[DemoArticle]) -> Value {
        let quantity = self.random.number_between(1, 3).to_string();
        self.random.choose(articles).map_or(Value::Null, |article| {
            json!({
                "article": { "name": article.name, "vat_rate": article.vat },
                "unit_price": article.price,
                "quantity": quantity,
            })
        })
    }

    fn send_as(
        &self,
        seat: &Seat,
        method: &str,
        path: &str,
        if_match: Option<&str>,
        body: Option<&Value>,
    ) -> io::Result<Response> {
        self.send(method, path, Some(seat.access_token.expose()), if_match, body)
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        if_match: Option<&str>,
        body: Option<&Value>,
    ) -> io::Result<Response> {
        let path = format!("{}{path}", self.api);
        self.client.send(Request { method, path: &path, token, if_match, body })
    }
}

impl Seat {
    /// The seat after a login; `None` if the login was refused.
    fn from_response(person: &'static str, response: &Response, now: Duration) -> Option<Self> {
        let mut seat = Self {
            person,
            access_token: Secret::new(String::new()),
            refresh_token: Secret::new(String::new()),
            expires_at: now,
            ticket: None,
            last_closed: None,
        };
        seat.store_tokens(response, now);
        (response.status == 201).then_some(seat)
    }

    /// Stores the tokens of a login or a refresh, if the response has them.
    fn store_tokens(&mut self, response: &Response, now: Duration) {
        let text = |member: &str| response.body.get(member).and_then(Value::as_str);
        let expires_in = response.body.get("expires_in").and_then(Value::as_u64);
        if let (Some(access), Some(refresh), Some(expires_in)) =
            (text("access_token"), text("refresh_token"), expires_in)
        {
            self.access_token = Secret::new(access.to_owned());
            self.refresh_token = Secret::new(refresh.to_owned());
            self.expires_at = now.saturating_add(Duration::from_secs(expires_in));
        }
    }
}

impl OpenTicket {
    /// The ticket of a response; `None` if the request was refused.
    fn from_response(response: &Response) -> Option<Self> {
        if !matches!(response.status, 200 | 201) {
            return None;
        }
        Some(Self {
            id: response.body.get("id")?.as_str()?.to_owned(),
            version: response.etag.clone()?,
            payable: response.body.get("payable")?.as_str()?.to_owned(),
            items: response.body.get("items")?.as_array()?.clone(),
        })
    }

    /// Whether money is paid out for it: nothing is added to a refund.
    fn is_refund(&self) -> bool {
        self.payable.starts_with('-')
    }
}
