//! The simulation: a shop with its tills and its office, a server that is killed repeatedly, and
//! the time that all of it takes.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use serde_json::{Value, json};
use tillgate_testkit::Random;
use tillgate_tests::{DatabaseEngine, Installation, PASSWORD, PortosKey, RunningServer, now};

use crate::dialect::{Credentials, TestDialect};
use crate::http::HttpRequest;
use crate::oracle::{AnomalyLog, Oracle, PossibleValues, TestDevice, TestRole, TestUser, send_until_decided};
use crate::proxy::Proxy;
use crate::till::Till;
use crate::{api_client, office};

/// The size and the faults of a simulation.
#[derive(Clone, Debug)]
pub(crate) struct SimulationPlan {
    /// The grace period after a rotation, in every contract.
    pub(crate) overlap: Duration,
    /// The time from a request to the storage of its response: three eighths of the grace period.
    pub(crate) response_limit: Duration,
    /// The longest pause between two requests of one thread, in milliseconds.
    pub(crate) max_pause_millis: u64,
    /// How long tills and the office work.
    pub(crate) duration: Duration,
    /// The time between a restart and the next kill, in milliseconds; `None` if the server is not
    /// killed.
    pub(crate) kill_interval_millis: Option<(u64, u64)>,
    /// Whether connections are broken.
    pub(crate) breaks_connections: bool,
    /// The number of tills of each contract.
    pub(crate) tills: usize,
    pub(crate) users: usize,
}

impl SimulationPlan {
    /// A plan with this grace period and duration, in which every kind of fault occurs.
    pub(crate) fn with_faults(overlap: Duration, lasting: Duration, kills: (u64, u64)) -> Self {
        let (limit, kills) = (overlap * 3 / 8, Some(kills));
        Self {
            overlap,
            response_limit: limit,
            max_pause_millis: 80,
            duration: lasting,
            kill_interval_millis: kills,
            breaks_connections: true,
            tills: 2,
            users: 8,
        }
    }

    /// A plan without faults, in which threads work only when a test says so.
    pub(crate) fn without_faults(overlap: Duration) -> Self {
        let lasting = Self::with_faults(overlap, Duration::ZERO, (0, 0));
        Self {
            kill_interval_millis: None,
            breaks_connections: false,
            tills: 1,
            users: 2,
            response_limit: Duration::from_secs(20),
            ..lasting
        }
    }
}

/// How often each kind of event occurred.
#[derive(Debug, Default)]
pub(crate) struct EventCounts {
    pub(crate) answered: AtomicUsize,
    pub(crate) unanswered: AtomicUsize,
    pub(crate) refreshed: AtomicUsize,
    kills: AtomicUsize,
}

/// The complete simulation.
pub(crate) struct Simulation {
    pub(crate) plan: SimulationPlan,
    installation: Installation,
    proxy: Proxy,
    pub(crate) anomalies: AnomalyLog,
    pub(crate) oracle: Mutex<Oracle>,
    pub(crate) tills: Vec<Till>,
    pub(crate) admin: Till,
    /// A till whose user has the role that the office changes.
    pub(crate) role_holder: Till,
    programs: Vec<PortosKey>,
    counts: EventCounts,
    is_over: AtomicBool,
    restarts: AtomicUsize,
    seen_restarts: AtomicUsize,
}

const SERVE_ARGUMENTS: [&str; 1] = ["serve"];

impl Simulation {
    /// Creates a shop with all of its users, and starts its server.
    pub(crate) fn open(engine: DatabaseEngine, plan: SimulationPlan, random: &mut Random) -> (Self, RunningServer) {
        let installation = new_installation(engine, &plan);
        let server = installation.serve();
        let proxy = Proxy::start(random.fork(), plan.breaks_connections);
        proxy.set_server(server.address());
        let admin = Till::new(TestDialect::Native, test_credentials("admin", "OFFICE"));
        let mut world = Self {
            plan,
            installation,
            proxy,
            anomalies: AnomalyLog::default(),
            oracle: Mutex::default(),
            tills: Vec::new(),
            admin,
            role_holder: Till::new(TestDialect::Native, test_credentials("watchman", "OFFICE")),
            programs: Vec::new(),
            counts: EventCounts::default(),
            is_over: AtomicBool::new(false),
            restarts: AtomicUsize::new(0),
            seen_restarts: AtomicUsize::new(0),
        };
        while world.admin.read_tokens().is_none() {
            world.admin.log_in(&world);
        }
        world.create_users();
        (world, server)
    }

    fn post_as_admin(&self, target: &str, body: &Value) -> Value {
        let admin = self.admin.read_tokens().unwrap();
        // not through the proxy: a record that is created twice is rejected
        let reply = send_until_decided(
            &self.proxy.server(),
            &HttpRequest::new("POST", target).bearer(&admin.access).json(body),
        );
        assert_eq!(reply.status, 201, "{target}: {}", reply.body);
        reply.json()
    }

    /// Creates a user with their own till.
    fn create_user(&self, name: &str) -> (String, TestDevice) {
        let device = format!("{name} register");
        let made = self.post_as_admin("/api/v1/devices", &json!({ "name": device, "environment": "CashRegister" }));
        let devices = [device.as_str(), "OFFICE"].map(|device| json!({ "device": device, "roles": ["cashier"] }));
        let user = json!({ "user_name": name, "email": format!("{name}@example.com"), "password": PASSWORD,
            "roles": ["cashier"], "devices": devices });
        let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
        (id(&self.post_as_admin("/api/v1/users", &user)), TestDevice { name: device, id: id(&made) })
    }

    fn create_users(&mut self) {
        for contract in TestDialect::ALL {
            for number in 0..self.plan.tills {
                let name = format!("{contract:?}{number}").to_lowercase();
                let account = if contract == TestDialect::Fiuu {
                    test_credentials(["P01", "P02"][number % 2], "")
                } else {
                    let (_, device) = self.create_user(&name);
                    test_credentials(&name, &device.name)
                };
                self.tills.push(Till::new(contract, account));
            }
        }
        let contracts =
            [TestDialect::Native, TestDialect::Portos, TestDialect::Native, TestDialect::Kasir, TestDialect::PosStar];
        for number in 0..self.plan.users {
            let name = format!("victim{number}");
            let (id, device) = self.create_user(&name);
            self.oracle.lock().unwrap().users.push(TestUser {
                name,
                id,
                device,
                dialect: contracts[number % contracts.len()],
                password: PossibleValues::certainly(PASSWORD.to_owned()),
                active: PossibleValues::certainly(true),
                device_unlocked: PossibleValues::certainly(true),
                role: PossibleValues::certainly("cashier"),
                session: None,
                former_passwords: Vec::new(),
            });
        }
        let night =
            json!({ "name": "night", "label": "Night", "rights": ["ticketClose"], "environments": ["BackOffice"] });
        let id = self.post_as_admin("/api/v1/roles", &night)["id"].as_str().unwrap().to_owned();
        self.oracle.lock().unwrap().roles.push(TestRole { id, storno: PossibleValues::certainly(false) });
        let devices = [json!({ "device": "OFFICE", "roles": ["night"] })];
        self.post_as_admin(
            "/api/v1/users",
            &json!({ "user_name": "watchman", "password": PASSWORD, "devices": devices }),
        );
        for number in 0..2 {
            let line =
                ["api-key", "add", &format!("Program {number}"), "--user", "cashier", "--device", "P02", "--json"];
            let made: Value = serde_json::from_str(&self.installation.run_ok(&line, "")).unwrap();
            let text = |name: &str| made[name].as_str().unwrap().to_owned();
            self.installation.secrets().add(&text("client_secret"));
            self.programs.push(PortosKey { client: text("client_id"), secret: text("client_secret") });
        }
    }

    /// The address for clients.
    pub(crate) fn address(&self) -> &str {
        self.proxy.address()
    }

    /// Whether the simulation still runs.
    pub(crate) fn is_running(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Increments a counter.
    pub(crate) fn increment(&self, which: impl Fn(&EventCounts) -> &AtomicUsize) {
        which(&self.counts).fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the server was restarted since the last call.
    pub(crate) fn take_restarted(&self) -> bool {
        let restarts = self.restarts.load(Ordering::Relaxed);
        self.seen_restarts.swap(restarts, Ordering::Relaxed) != restarts
    }

    /// Runs everything while the server is killed repeatedly, and checks everything at the end.
    /// Returns the deviations.
    pub(crate) fn run(&self, server: RunningServer, random: &mut Random) -> Vec<String> {
        let mut server = Some(server);
        for till in &self.tills {
            while till.read_tokens().is_none() {
                till.log_in(self);
            }
        }
        std::thread::scope(|scope| {
            for till in &self.tills {
                for _ in 0..2 {
                    let random = random.fork();
                    scope.spawn(move || till.run_thread(self, random));
                }
            }
            for key in &self.programs {
                let random = random.fork();
                scope.spawn(move || api_client::run_client(self, key, random));
            }
            let office = random.fork();
            scope.spawn(move || office::run_office(self, office));
            // a panic here must not leave threads that work forever
            let _over = EndGuard(&self.is_over);
            let until = now() + self.plan.duration;
            while now() < until {
                match self.plan.kill_interval_millis {
                    Some((least, most)) => {
                        std::thread::sleep(random.millis_between(least, most));
                        server = server.take().map(|server| self.kill_and_restart(server, random));
                    }
                    None => std::thread::sleep(Duration::from_millis(100)),
                }
            }
        });
        self.check_everything();
        println!("{:?}, {} requests spoiled", self.counts, self.proxy.spoiled_count());
        drop(server);
        self.anomalies.take()
    }

    /// Kills the server, as a power cut would, and starts it again; sometimes it is also killed
    /// while it starts.
    fn kill_and_restart(&self, server: RunningServer, random: &mut Random) -> RunningServer {
        server.kill();
        self.increment(|counts| &counts.kills);
        if random.in_thousand(300) {
            let mut command = self.installation.tillgate_command(&SERVE_ARGUMENTS);
            command.args(["--listen", "127.0.0.1:0"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            std::thread::sleep(random.millis_between(0, 250));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let server = RunningServer::start_unready(&self.installation, &SERVE_ARGUMENTS);
        self.proxy.set_server(server.address());
        server.wait_until_ready();
        self.restarts.fetch_add(1, Ordering::Relaxed);
        self.check_audit();
        self.check_database_file();
        server
    }

    fn check_audit(&self) {
        let verified = self.installation.run(&["audit", "verify"], "");
        if !verified.status.success() {
            let said = String::from_utf8_lossy(&verified.stdout).into_owned();
            self.anomalies
                .record(format!("the audit is not whole: {said} {}", String::from_utf8_lossy(&verified.stderr)));
        }
    }

    fn check_database_file(&self) {
        #[derive(QueryableByName)]
        struct LineRow {
            #[diesel(sql_type = Text)]
            line: String,
        }
        if self.installation.engine() == DatabaseEngine::Postgres {
            return;
        }
        let path = self.installation.folder().join("tillgate.db");
        let mut file = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let query = "SELECT integrity_check AS line FROM pragma_integrity_check \
                     UNION ALL SELECT 'a foreign key of ' || \"table\" FROM pragma_foreign_key_check";
        let lines: Vec<LineRow> = diesel::sql_query(query).load(&mut file).unwrap();
        let lines: Vec<String> = lines.into_iter().map(|line| line.line).collect();
        if lines != ["ok"] {
            self.anomalies.record(format!("the file is damaged: {lines:?}"));
        }
    }

    /// Checks everything: ended sessions, tickets, users, and tills.
    pub(crate) fn check_everything(&self) {
        // the admin is a till like any other
        self.admin.refresh(self, &mut Random::from_seed(0));
        let Some(admin) = self.admin.read_tokens() else { return };
        let oracle = self.oracle.lock().unwrap().clone();
        println!(
            "{} sessions ended, {} tickets, {} keys",
            oracle.ended_tokens.len(),
            oracle.tickets.len(),
            oracle.keys.len()
        );
        oracle.check(self.address(), &admin.access, &self.anomalies, || true);
        self.check_no_ticket_twice(&oracle, &admin.access);
        for till in self.tills.iter().chain([&self.role_holder]) {
            let Some(tokens) = till.read_tokens() else { continue };
            let reply = send_until_decided(self.address(), &till.dialect.refresh_request(&tokens));
            if till.dialect.parse_tokens(&reply).is_none() {
                self.anomalies.record(format!("{till}: logged out at the end: {} {}", reply.status, reply.body));
            }
        }
        self.check_audit();
        self.check_database_file();
    }

    fn check_no_ticket_twice(&self, oracle: &Oracle, admin: &str) {
        let (mut after, mut names) = (String::new(), Vec::new());
        loop {
            let page = send_until_decided(
                self.address(),
                &HttpRequest::new("GET", format!("/api/v1/tickets?limit=200{after}")).bearer(admin),
            );
            let json = page.json();
            let Some(items) = json["items"].as_array() else {
                return self.anomalies.record(format!("tickets cannot be listed: {} {}", page.status, page.body));
            };
            names.extend(items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()));
            match json["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        names.sort_unstable();
        for pair in names.windows(2).filter(|pair| pair[0] == pair[1]) {
            self.anomalies.record(format!("the ticket {} is there twice", pair[0]));
        }
        for (key, _) in oracle.tickets.iter().filter(|(key, _)| names.binary_search(key).is_err()) {
            self.anomalies.record(format!("the ticket {key} is in no list"));
        }
    }
}

/// Ends the simulation when it is dropped.
struct EndGuard<'w>(&'w AtomicBool);

impl Drop for EndGuard<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn test_credentials(name: &str, device: &str) -> Credentials {
    Credentials { name: name.to_owned(), password: PASSWORD.to_owned(), device: device.to_owned() }
}

/// A shop in which every contract is served with the plan's grace period, and in which passwords
/// that the oracle tries cause no throttling.
fn new_installation(engine: DatabaseEngine, plan: &SimulationPlan) -> Installation {
    let overlap = format!("{}ms", plan.overlap.as_millis());
    let mut installation = Installation::new(engine).with_setting("LOG__LEVEL", "warn");
    for section in ["SESSIONS", "PORTOS", "KASIR", "FIUU", "POSSTAR"] {
        installation = installation.with_setting(&format!("{section}__OVERLAP"), &overlap);
    }
    let free = ["THROTTLE__FREE", "THROTTLE__ADDRESS_FREE", "THROTTLE__UNKNOWN_FREE"];
    for bound in free.into_iter().chain(["KASIR__PER_MINUTE", "FIUU__PER_MINUTE"]) {
        installation = installation.with_setting(bound, "10000");
    }
    let mounts: String = ["portos", "kasir", "fiuu", "posstar"]
        .map(|dialect| {
            format!("[[mounts]]\ndialect = \"{dialect}\"\nprefix = \"/{dialect}\"\ntenant = \"default\"\n\n")
        })
        .concat();
    std::fs::write(installation.folder().join("tillgate.toml"), mounts).unwrap();
    installation.create_demo_shop();
    set_zone_far_from_midnight(&installation);
    installation
}

/// Fiuu's sessions end at midnight, which must not occur during the simulation.
fn set_zone_far_from_midnight(installation: &Installation) {
    #[expect(clippy::disallowed_methods, reason = "the day ends by the real clock")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let hour = since.as_secs() / 3600 % 24;
    let zone = if (3..21).contains(&hour) { "UTC" } else { "Asia/Kuala_Lumpur" };
    installation.run_ok(&["tenant", "set", "--zone", zone], "");
}
