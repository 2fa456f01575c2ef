//! Failover between two PostgreSQL servers with synchronous replication: the address names both,
//! the primary is lost, and the standby takes over. Nothing that was answered is lost.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tillgate_testkit::postgres::Server;
use tillgate_tests::{DatabaseEngine, Installation, RunningServer, TillClient, wait_until};

use super::DatabaseDownFixture;

/// How long a busy machine may take until tills work again.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(40);

/// A till that refreshes without a pause, and keeps its tokens whenever it gets no new ones.
struct RefreshingTill {
    client: TillClient,
    refreshes: AtomicUsize,
}

impl RefreshingTill {
    /// Refreshes until `stop`. Only a 200 or a 503 is a response that a till may get.
    fn run(&self, stop: &AtomicBool) -> TillClient {
        let mut client = self.client.clone();
        while !stop.load(Ordering::Relaxed) {
            let response = client.try_refresh().unwrap();
            assert!([200, 503].contains(&response.status()), "a session was lost: {}", response.text());
            if response.status() == 200 {
                self.refreshes.fetch_add(1, Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        client
    }
}

/// Stops the tills when the test goes on or fails; otherwise a failed one would wait for them.
struct StopOnDrop<'s>(&'s AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits until every till has refreshed three more times.
fn wait_for_refreshes(tills: &[RefreshingTill]) {
    let count = || tills.iter().map(|till| till.refreshes.load(Ordering::Relaxed)).collect::<Vec<_>>();
    let before = count();
    wait_until(RECOVERY_TIMEOUT, "refreshes of every till", || {
        count().iter().zip(&before).all(|(now, before)| *now >= before + 3)
    });
}

/// The parts of readiness that concern the database, and the status.
fn read_readiness(server: &RunningServer) -> (bool, bool, u16) {
    let response = server.new_till().call_once("GET", "/readyz", None);
    let parts = &response.json()["parts"];
    (parts["store"] == true, parts["writes"] == true, response.status())
}

#[test]
#[ignore = "requires PostgreSQL"]
fn sessions_continue_on_the_standby_after_the_primary_is_killed() {
    let primary = Server::start(&[]).unwrap();
    let standby = primary.start_synchronous_standby().unwrap();
    primary.create_database();
    let address = format!("postgres://tillgate@{},{}/shop_0", primary.host(), standby.host());
    check_failover(address, &standby, || primary.crash().unwrap(), || ());
}

/// The address names the standby first, in the other form, and requests writes by itself. The lost
/// primary keeps its connections open until it is fenced.
#[test]
#[ignore = "requires PostgreSQL"]
fn sessions_continue_on_the_standby_after_a_hanging_primary_is_fenced() {
    let primary = Server::start(&[]).unwrap();
    let standby = primary.start_synchronous_standby().unwrap();
    primary.create_database();
    // the address names the standby first, which must have the database before it is asked
    wait_until(RECOVERY_TIMEOUT, "the database on the standby", || standby.sql("shop_0", "SELECT 1").is_ok());
    let port = |server: &Server| server.host().rsplit(':').next().unwrap().to_owned();
    let address = format!(
        "postgres://tillgate@/shop_0?host=127.0.0.1,127.0.0.1&port={},{}&target_session_attrs=read-write",
        port(&standby),
        port(&primary)
    );
    check_failover(address, &standby, || primary.freeze().unwrap(), || primary.fence().unwrap());
}

/// `lose` makes the primary unavailable; `fence` ends it for good, after the standby was promoted.
fn check_failover(address: String, standby: &Server, lose: impl Fn(), fence: impl Fn()) {
    let installation = Installation::with_database(DatabaseEngine::Postgres, address);
    installation.create_demo_shop();
    let server = installation.serve();
    let tills = DatabaseDownFixture::log_in(&server, &installation);
    let mut ended = server.new_till().login("admin", "OFFICE");
    // a till has one session at a time, and the fixture has those of P01 and P02
    let accounts = [("cashier", "PDA1"), ("cashier", "OFFICE"), ("manager", "OFFICE"), ("admin", "OFFICE")];
    let refreshing = accounts.map(|(user, device)| RefreshingTill {
        client: server.new_till().login(user, device),
        refreshes: AtomicUsize::new(0),
    });
    let stop = AtomicBool::new(false);
    let last: Vec<TillClient> = std::thread::scope(|scope| {
        let threads: Vec<_> = refreshing.iter().map(|till| scope.spawn(|| till.run(&stop))).collect();
        let running = StopOnDrop(&stop);
        wait_for_refreshes(&refreshing);
        // the last responses before the loss: a logout and a login
        ended.delete("/api/v1/sessions/current").expect_status(204);
        let newest = server.new_till().login("manager", "OFFICE");
        lose();
        tills.check_unavailable(&server, 503);
        wait_until(RECOVERY_TIMEOUT, "readiness to report the loss", || {
            let (store, _, status) = read_readiness(&server);
            !store && status == 503
        });
        standby.promote().unwrap();
        fence();
        wait_until(RECOVERY_TIMEOUT, "readiness after the standby took over", || {
            read_readiness(&server) == (true, true, 200)
        });
        wait_for_refreshes(&refreshing);
        drop(running);
        let threads = threads.into_iter().map(|thread| thread.join().unwrap());
        threads.chain([newest]).collect()
    });
    for mut till in last {
        till.refresh().expect_status(200);
        till.get_current_session().expect_status(200);
    }
    let response = ended.refresh();
    assert_eq!((response.status(), &response.json()["code"]), (401, &json!("session_over")), "{}", response.text());
    tills.check_available(&server);
    installation.run_ok(&["audit", "verify"], "");
    // a server that starts now finds the new primary
    installation.serve().new_till().login("cashier", "P01").get_current_session().expect_status(200);
}
