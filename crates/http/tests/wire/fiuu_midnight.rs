//! Fiuu: everything ends at the midnight of its shop, wherever that is.

use std::time::Duration;

use crate::fiuu::{EXPIRED, OVER, TERMINALS, login, lying_in, refresh, tokens, unauthorized};
use crate::shop::PASSWORD;

#[actix_web::test]
async fn everything_ends_at_midnight() {
    // from noon in UTC to the end of the day there
    for (zone, offset, span) in [
        ("UTC", "+00:00", Duration::from_hours(12)),
        ("Asia/Kuala_Lumpur", "+08:00", Duration::from_hours(4)),
        ("America/St_Johns", "-03:30", Duration::from_mins(15 * 60 + 30)),
    ] {
        let shop = lying_in(zone);
        let early = shop.fiuu().await;
        shop.clock.pass(span.saturating_sub(Duration::from_millis(1)));
        let midnight = format!("2026-11-22T00:00:00.000{offset}");
        let late = shop.send(login("P01", PASSWORD)).await;
        let (access, token) = tokens(&late, &midnight, &midnight);
        assert_eq!(shop.get(TERMINALS, &access).await.status, 200, "{zone}");
        let (early_access, early_token) =
            tokens(&refresh(&shop, &early.text("/refresh/token")).await, &midnight, &midnight);
        assert_eq!(shop.get(TERMINALS, &early_access).await.status, 200, "{zone}");
        unauthorized(&shop.get(TERMINALS, &early.text("/access/token")).await, EXPIRED.0, EXPIRED.1);

        shop.clock.pass(Duration::from_millis(1));
        for token in [&access, &early_access, &early.text("/access/token")] {
            unauthorized(&shop.get(TERMINALS, token).await, OVER.0, OVER.1);
        }
        for token in [&token, &early_token] {
            unauthorized(&refresh(&shop, token).await, OVER.0, OVER.1);
        }
        let next = shop.send(login("P01", PASSWORD)).await;
        tokens(&next, &format!("2026-11-22T00:15:00.000{offset}"), &format!("2026-11-23T00:00:00.000{offset}"));
    }
}

#[actix_web::test]
async fn a_midnight_that_is_skipped_is_an_hour_later() {
    let shop = lying_in("Africa/Cairo");
    let day = Duration::from_hours(24);
    // to 23:50 on the day before summer time begins, which it does at midnight
    shop.clock.pass(159 * day + Duration::from_mins(9 * 60 + 50));
    let answer = shop.send(login("P01", PASSWORD)).await;
    tokens(&answer, "2027-04-30T01:00:00.000+03:00", "2027-04-30T01:00:00.000+03:00");
    shop.clock.pass(Duration::from_mins(10));
    let answer = shop.send(login("P01", PASSWORD)).await;
    tokens(&answer, "2027-04-30T01:15:00.000+03:00", "2027-05-01T00:00:00.000+03:00");
}
