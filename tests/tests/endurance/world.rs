//! A shop with its tills, its office, its server that is killed, and the time that all of it takes.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use serde_json::{Value, json};
use tillgate_tests::{Engine, Installation, PASSWORD, PortosKey, Running, now};

use crate::chance::Chance;
use crate::contract::{Account, Contract};
use crate::oracle::{Changing, Employed, Fact, Journal, Oracle, Victim, decided};
use crate::proxy::Proxy;
use crate::till::Till;
use crate::wire::Asked;
use crate::{office, program};

/// How much of everything.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// How long a rotated session forgives, in every contract.
    pub(crate) overlap: Duration,
    /// From asking to storing the answer: three eighths of the overlap.
    pub(crate) limit: Duration,
    /// Between two requests of one thread, in milliseconds at most.
    pub(crate) pause: u64,
    /// How long tills and office work.
    pub(crate) lasting: Duration,
    /// Between a restart and the next kill, in milliseconds; `None` where nobody kills.
    pub(crate) kills: Option<(u64, u64)>,
    /// Whether connections break.
    pub(crate) faults: bool,
    /// Tills of each contract.
    pub(crate) tills: usize,
    pub(crate) victims: usize,
}

impl Plan {
    /// With this overlap and for so long, with everything that can go wrong.
    pub(crate) fn lasting(overlap: Duration, lasting: Duration, kills: (u64, u64)) -> Self {
        let (limit, kills) = (overlap * 3 / 8, Some(kills));
        Self { overlap, limit, pause: 80, lasting, kills, faults: true, tills: 2, victims: 8 }
    }

    /// Where nothing goes wrong and nobody works until they are told.
    pub(crate) fn quiet(overlap: Duration) -> Self {
        let lasting = Self::lasting(overlap, Duration::ZERO, (0, 0));
        Self { kills: None, faults: false, tills: 1, victims: 2, limit: Duration::from_secs(20), ..lasting }
    }
}

/// How often what happened.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) answered: AtomicUsize,
    pub(crate) unanswered: AtomicUsize,
    pub(crate) refreshed: AtomicUsize,
    kills: AtomicUsize,
}

/// The whole of it.
pub(crate) struct World {
    pub(crate) plan: Plan,
    shop: Installation,
    proxy: Proxy,
    pub(crate) journal: Journal,
    pub(crate) oracle: Mutex<Oracle>,
    pub(crate) tills: Vec<Till>,
    pub(crate) admin: Till,
    /// Who holds the role that the office changes.
    pub(crate) watchman: Till,
    programs: Vec<PortosKey>,
    counts: Counts,
    over: AtomicBool,
    restarts: AtomicUsize,
    looked: AtomicUsize,
}

const SERVE: [&str; 1] = ["serve"];

impl World {
    /// A shop with everybody in it, and its server.
    pub(crate) fn open(engine: Engine, plan: Plan, chance: &mut Chance) -> (Self, Running) {
        let shop = installation(engine, &plan);
        let server = shop.serve();
        let proxy = Proxy::start(chance.fork(), plan.faults);
        proxy.lead_to(server.address());
        let admin = Till::new(Contract::Native, account("admin", "OFFICE"));
        let mut world = Self {
            plan,
            shop,
            proxy,
            journal: Journal::default(),
            oracle: Mutex::default(),
            tills: Vec::new(),
            admin,
            watchman: Till::new(Contract::Native, account("watchman", "OFFICE")),
            programs: Vec::new(),
            counts: Counts::default(),
            over: AtomicBool::new(false),
            restarts: AtomicUsize::new(0),
            looked: AtomicUsize::new(0),
        };
        while world.admin.read().is_none() {
            world.admin.log_in(&world);
        }
        world.people();
        (world, server)
    }

    fn made(&self, target: &str, body: &Value) -> Value {
        let admin = self.admin.read().unwrap();
        // not through the proxy: what is made twice is refused
        let reply = decided(&self.proxy.server(), &Asked::new("POST", target).bearer(&admin.access).json(body));
        assert_eq!(reply.status, 201, "{target}: {}", reply.body);
        reply.json()
    }

    /// Makes a user, with a cash register of their own.
    fn hire(&self, name: &str) -> (String, Employed) {
        let device = format!("{name} register");
        let made = self.made("/api/v1/devices", &json!({ "name": device, "environment": "CashRegister" }));
        let devices = [device.as_str(), "OFFICE"].map(|device| json!({ "device": device, "roles": ["cashier"] }));
        let user = json!({ "user_name": name, "email": format!("{name}@example.com"), "password": PASSWORD,
            "roles": ["cashier"], "devices": devices });
        let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
        (id(&self.made("/api/v1/users", &user)), Employed { name: device, id: id(&made) })
    }

    fn people(&mut self) {
        for contract in Contract::ALL {
            for number in 0..self.plan.tills {
                let name = format!("{contract:?}{number}").to_lowercase();
                let account = if contract == Contract::Fiuu {
                    account(["P01", "P02"][number % 2], "")
                } else {
                    let (_, device) = self.hire(&name);
                    account(&name, &device.name)
                };
                self.tills.push(Till::new(contract, account));
            }
        }
        let contracts = [Contract::Native, Contract::Portos, Contract::Native, Contract::Kasir, Contract::PosStar];
        for number in 0..self.plan.victims {
            let name = format!("victim{number}");
            let (id, device) = self.hire(&name);
            self.oracle.lock().unwrap().victims.push(Victim {
                name,
                id,
                device,
                contract: contracts[number % contracts.len()],
                password: Fact::of(PASSWORD.to_owned()),
                active: Fact::of(true),
                unlocked: Fact::of(true),
                role: Fact::of("cashier"),
                session: None,
                former: Vec::new(),
            });
        }
        let night =
            json!({ "name": "night", "label": "Night", "rights": ["ticketClose"], "environments": ["BackOffice"] });
        let id = self.made("/api/v1/roles", &night)["id"].as_str().unwrap().to_owned();
        self.oracle.lock().unwrap().roles.push(Changing { id, storno: Fact::of(false) });
        let devices = [json!({ "device": "OFFICE", "roles": ["night"] })];
        self.made("/api/v1/users", &json!({ "user_name": "watchman", "password": PASSWORD, "devices": devices }));
        for number in 0..2 {
            let line =
                ["api-key", "add", &format!("Program {number}"), "--user", "cashier", "--device", "P02", "--json"];
            let made: Value = serde_json::from_str(&self.shop.succeed(&line, "")).unwrap();
            let text = |name: &str| made[name].as_str().unwrap().to_owned();
            self.shop.secrets().note(&text("clientSecret"));
            self.programs.push(PortosKey { client: text("clientId"), secret: text("clientSecret") });
        }
    }

    /// Where everybody asks.
    pub(crate) fn address(&self) -> &str {
        self.proxy.address()
    }

    /// Whether people still work.
    pub(crate) fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// Counts one.
    pub(crate) fn count(&self, which: impl Fn(&Counts) -> &AtomicUsize) {
        which(&self.counts).fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the server was started again since this was last asked.
    pub(crate) fn restarted(&self) -> bool {
        let restarts = self.restarts.load(Ordering::Relaxed);
        self.looked.swap(restarts, Ordering::Relaxed) != restarts
    }

    /// Everybody works while the server is killed again and again; at the end everything is asked about. Returns what went wrong.
    pub(crate) fn run(&self, server: Running, chance: &mut Chance) -> Vec<String> {
        let mut server = Some(server);
        for till in &self.tills {
            while till.read().is_none() {
                till.log_in(self);
            }
        }
        std::thread::scope(|scope| {
            for till in &self.tills {
                for _ in 0..2 {
                    let chance = chance.fork();
                    scope.spawn(move || till.run(self, chance));
                }
            }
            for key in &self.programs {
                let chance = chance.fork();
                scope.spawn(move || program::run(self, key, chance));
            }
            let office = chance.fork();
            scope.spawn(move || office::run(self, office));
            // whoever panics here leaves nobody working for ever
            let _over = Over(&self.over);
            let until = now() + self.plan.lasting;
            while now() < until {
                match self.plan.kills {
                    Some((least, most)) => {
                        std::thread::sleep(chance.between(least, most));
                        server = server.take().map(|server| self.kill(server, chance));
                    }
                    None => std::thread::sleep(Duration::from_millis(100)),
                }
            }
        });
        self.look_at_everything();
        println!("{:?}, {} requests spoiled", self.counts, self.proxy.spoiled());
        drop(server);
        self.journal.take()
    }

    /// Kills the server as a power cut would, sometimes its successor too, while that starts, and starts it again.
    fn kill(&self, server: Running, chance: &mut Chance) -> Running {
        server.kill();
        self.count(|counts| &counts.kills);
        if chance.in_thousand(300) {
            let mut command = self.shop.command(&SERVE);
            command.args(["--listen", "127.0.0.1:0"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            std::thread::sleep(chance.between(0, 250));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let server = Running::start_unready(&self.shop, &SERVE);
        self.proxy.lead_to(server.address());
        server.until_ready();
        self.restarts.fetch_add(1, Ordering::Relaxed);
        self.audit_is_whole();
        self.file_is_whole();
        server
    }

    fn audit_is_whole(&self) {
        let verified = self.shop.run(&["audit", "verify"], "");
        if !verified.status.success() {
            let said = String::from_utf8_lossy(&verified.stdout).into_owned();
            self.journal.note(format!("the audit is not whole: {said} {}", String::from_utf8_lossy(&verified.stderr)));
        }
    }

    fn file_is_whole(&self) {
        #[derive(QueryableByName)]
        struct Line {
            #[diesel(sql_type = Text)]
            line: String,
        }
        if self.shop.engine() == Engine::Postgres {
            return;
        }
        let path = self.shop.folder().join("tillgate.db");
        let mut file = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let query = "SELECT integrity_check AS line FROM pragma_integrity_check \
                     UNION ALL SELECT 'a foreign key of ' || \"table\" FROM pragma_foreign_key_check";
        let lines: Vec<Line> = diesel::sql_query(query).load(&mut file).unwrap();
        let lines: Vec<String> = lines.into_iter().map(|line| line.line).collect();
        if lines != ["ok"] {
            self.journal.note(format!("the file is damaged: {lines:?}"));
        }
    }

    /// Whether everything is as it may be: every session that was ended, every ticket, everybody, and every till.
    pub(crate) fn look_at_everything(&self) {
        // the admin is a till like any other
        self.admin.refresh(self, &mut Chance::of(0));
        let Some(admin) = self.admin.read() else { return };
        let oracle = self.oracle.lock().unwrap().clone();
        println!("{} sessions ended, {} tickets, {} keys", oracle.dead.len(), oracle.tickets.len(), oracle.keys.len());
        oracle.check(self.address(), &admin.access, &self.journal, || true);
        self.no_ticket_is_there_twice(&oracle, &admin.access);
        for till in self.tills.iter().chain([&self.watchman]) {
            let Some(tokens) = till.read() else { continue };
            let reply = decided(self.address(), &till.contract.refresh(&tokens));
            if till.contract.tokens(&reply).is_none() {
                self.journal.note(format!("{till}: logged out at the end: {} {}", reply.status, reply.body));
            }
        }
        self.audit_is_whole();
        self.file_is_whole();
    }

    fn no_ticket_is_there_twice(&self, oracle: &Oracle, admin: &str) {
        let (mut after, mut names) = (String::new(), Vec::new());
        loop {
            let page =
                decided(self.address(), &Asked::new("GET", format!("/api/v1/tickets?limit=200{after}")).bearer(admin));
            let json = page.json();
            let Some(items) = json["items"].as_array() else {
                return self.journal.note(format!("tickets cannot be listed: {} {}", page.status, page.body));
            };
            names.extend(items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()));
            match json["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        names.sort_unstable();
        for pair in names.windows(2).filter(|pair| pair[0] == pair[1]) {
            self.journal.note(format!("the ticket {} is there twice", pair[0]));
        }
        for (key, _) in oracle.tickets.iter().filter(|(key, _)| names.binary_search(key).is_err()) {
            self.journal.note(format!("the ticket {key} is in no list"));
        }
    }
}

/// Ends the work when it is dropped.
struct Over<'w>(&'w AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn account(name: &str, device: &str) -> Account {
    Account { name: name.to_owned(), password: PASSWORD.to_owned(), device: device.to_owned() }
}

/// A shop where every contract is served and forgives for the overlap, and where passwords that the oracle tries hold nobody back.
fn installation(engine: Engine, plan: &Plan) -> Installation {
    let overlap = format!("{}ms", plan.overlap.as_millis());
    let mut shop = Installation::new(engine).with_setting("LOG__LEVEL", "warn");
    for section in ["SESSIONS", "PORTOS", "KASIR", "FIUU", "POSSTAR"] {
        shop = shop.with_setting(&format!("{section}__OVERLAP"), &overlap);
    }
    let free = ["THROTTLE__FREE", "THROTTLE__ADDRESS_FREE", "THROTTLE__UNKNOWN_FREE"];
    for bound in free.into_iter().chain(["KASIR__PER_MINUTE", "FIUU__PER_MINUTE"]) {
        shop = shop.with_setting(bound, "10000");
    }
    let mounts: String = ["portos", "kasir", "fiuu", "posstar"]
        .map(|dialect| {
            format!("[[mounts]]\ndialect = \"{dialect}\"\nprefix = \"/{dialect}\"\ntenant = \"default\"\n\n")
        })
        .concat();
    std::fs::write(shop.folder().join("tillgate.toml"), mounts).unwrap();
    shop.make_shop();
    far_from_midnight(&shop);
    shop
}

/// Fiuu's sessions end at midnight, which is not to come while tills work.
fn far_from_midnight(shop: &Installation) {
    #[expect(clippy::disallowed_methods, reason = "the day ends by the real clock")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let hour = since.as_secs() / 3600 % 24;
    let zone = if (3..21).contains(&hour) { "UTC" } else { "Asia/Kuala_Lumpur" };
    shop.succeed(&["tenant", "set", "--zone", zone], "");
}
