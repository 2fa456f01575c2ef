//! Fiuu: all sessions end at midnight in the shop's time zone.

use std::time::Duration;

use crate::fiuu::{
    SESSION_EXPIRED, TERMINALS, TOKEN_EXPIRED, assert_tokens, assert_unauthorized, login_request, refresh,
    server_in_zone,
};
use crate::test_server::TEST_PASSWORD;

#[actix_web::test]
async fn sessions_end_at_midnight() {
    // from noon in UTC to the end of the local day
    for (zone, offset, span) in [
        ("UTC", "+00:00", Duration::from_hours(12)),
        ("Asia/Kuala_Lumpur", "+08:00", Duration::from_hours(4)),
        ("America/St_Johns", "-03:30", Duration::from_mins(15 * 60 + 30)),
    ] {
        let shop = server_in_zone(zone);
        let early = shop.log_in_fiuu().await;
        shop.clock.advance(span.saturating_sub(Duration::from_millis(1)));
        let midnight = format!("2026-11-22T00:00:00.000{offset}");
        let late = shop.send(login_request("P01", TEST_PASSWORD)).await;
        let (access, token) = assert_tokens(&late, &midnight, &midnight);
        assert_eq!(shop.get(TERMINALS, &access).await.status, 200, "{zone}");
        let (early_access, early_token) =
            assert_tokens(&refresh(&shop, &early.text_at("/refresh/token")).await, &midnight, &midnight);
        assert_eq!(shop.get(TERMINALS, &early_access).await.status, 200, "{zone}");
        assert_unauthorized(
            &shop.get(TERMINALS, &early.text_at("/access/token")).await,
            TOKEN_EXPIRED.0,
            TOKEN_EXPIRED.1,
        );

        shop.clock.advance(Duration::from_millis(1));
        for token in [&access, &early_access, &early.text_at("/access/token")] {
            assert_unauthorized(&shop.get(TERMINALS, token).await, SESSION_EXPIRED.0, SESSION_EXPIRED.1);
        }
        for token in [&token, &early_token] {
            assert_unauthorized(&refresh(&shop, token).await, SESSION_EXPIRED.0, SESSION_EXPIRED.1);
        }
        let next = shop.send(login_request("P01", TEST_PASSWORD)).await;
        assert_tokens(&next, &format!("2026-11-22T00:15:00.000{offset}"), &format!("2026-11-23T00:00:00.000{offset}"));
    }
}

#[actix_web::test]
async fn skipped_midnight_is_one_hour_later() {
    let shop = server_in_zone("Africa/Cairo");
    let day = Duration::from_hours(24);
    // to 23:50 on the day before daylight saving time begins, which it does at midnight
    shop.clock.advance(159 * day + Duration::from_mins(9 * 60 + 50));
    let response = shop.send(login_request("P01", TEST_PASSWORD)).await;
    assert_tokens(&response, "2027-04-30T01:00:00.000+03:00", "2027-04-30T01:00:00.000+03:00");
    shop.clock.advance(Duration::from_mins(10));
    let response = shop.send(login_request("P01", TEST_PASSWORD)).await;
    assert_tokens(&response, "2027-04-30T01:15:00.000+03:00", "2027-05-01T00:00:00.000+03:00");
}
