//! Sessions on a database.

use tillgate_auth_core::ports::{Rotation, SessionFilter, Use};
use tillgate_auth_core::{Session, SessionKind};
use tillgate_domain::{EndedWhy, Epoch, KeyId, Scope, SessionId};

use crate::on_both;
use crate::stores::{Shop, at, uuid};

on_both! {
    fn a_session_comes_back_as_it_was_with_what_decides_whether_it_stands(fresh) {
        let shop = Shop::default();
        let full = Session {
            parent: Some(shop.session(1).id),
            thumbprint: Some(vec![0, 255, 3]),
            rotated_at: Some(at(1)),
            last_used_at: Some(at(2)),
            ended: Some((at(3), EndedWhy::Replay)),
            ..shop.session(2)
        };
        let bare = Session {
            kind: SessionKind::Permanent,
            user: None,
            device: None,
            address: None,
            rotated_from: None,
            expires_at: None,
            ..shop.session(3)
        };
        for session in [&shop.session(1), &full, &bare] {
            fresh.write(|tx| tx.sessions().insert(session));
            let standing = fresh.read(|tx| tx.sessions().find(session.id)).unwrap();
            assert_eq!(standing.session, *session);
            assert_eq!(standing.user, session.user.map(|_| shop.anna.status));
            assert_eq!(standing.device, session.device.map(|_| shop.till.status));
            assert_eq!(standing.zone, shop.tenant.zone);
        }
        fresh.write(|tx| {
            tx.endings().raise(Scope::User(shop.anna.id), EndedWhy::Admin, at(4))?;
            tx.endings().raise(Scope::Tenant(shop.tenant.id), EndedWhy::Admin, at(4))?;
            tx.endings().raise(Scope::Tenant(shop.tenant.id), EndedWhy::Admin, at(4))
        });
        let now = fresh.read(|tx| tx.sessions().find(full.id)).unwrap().epochs;
        assert_eq!((now.user, now.device, now.tenant), (Epoch(1), Epoch(0), Epoch(2)));
        assert_eq!(fresh.read(|tx| tx.sessions().find(SessionId(uuid(999)))), None);
    }

    fn a_rotation_wins_once_and_never_after_an_end(fresh) {
        let session = Shop::default().session(1);
        fresh.write(|tx| tx.sessions().insert(&session));
        let to = |generation| Rotation {
            generation,
            key: KeyId(uuid(51)),
            previous_key: session.key,
            at: at(60),
            expires_at: Some(at(9000)),
            from: None,
        };
        assert!(fresh.write(|tx| tx.sessions().rotate(session.id, 1, &to(2))));
        assert!(!fresh.write(|tx| tx.sessions().rotate(session.id, 1, &to(2))));
        let stored = fresh.read(|tx| tx.sessions().find(session.id)).unwrap().session;
        let rotated = Session {
            generation: 2,
            key: KeyId(uuid(51)),
            rotated_at: Some(at(60)),
            rotated_from: None,
            expires_at: Some(at(9000)),
            ..session.clone()
        };
        assert_eq!(stored, rotated);
        assert!(fresh.write(|tx| tx.endings().end(session.id, EndedWhy::Logout, at(61))));
        assert!(!fresh.write(|tx| tx.sessions().rotate(session.id, 2, &to(3))));
    }

    fn uses_rise_and_never_fall_in_one_batch_of_many(fresh) {
        let shop = Shop::default();
        let many = 1203;
        fresh.write(|tx| (0..many).try_for_each(|number| tx.sessions().insert(&shop.session(number))));
        let uses: Vec<Use> = (0..many)
            .flat_map(|number| [(number, 3, 50), (number, 2, 70)])
            .map(|(number, generation, seconds)| Use { session: shop.session(number).id, generation, at: at(seconds) })
            .chain([Use { session: SessionId(uuid(5)), generation: 9, at: at(99) }])
            .collect();
        fresh.write(|tx| tx.sessions().note(&uses));
        fresh.write(|tx| tx.sessions().note(&[Use { session: shop.session(7).id, generation: 1, at: at(1) }]));
        for number in [0, 7, many - 1] {
            let stored = fresh.read(|tx| tx.sessions().find(shop.session(number).id)).unwrap().session;
            assert_eq!((stored.used, stored.last_used_at), (3, Some(at(70))));
        }
        assert_eq!(fresh.read(|tx| tx.devices().find(shop.till.id)).unwrap().last_seen_at, Some(at(70)));
        fresh.write(|tx| tx.sessions().note(&[]));
    }

    fn a_list_pages_from_the_newest_on_with_names(fresh) {
        let shop = Shop::default();
        let mut sessions: Vec<Session> = (1..=5).map(|number| shop.session(number)).collect();
        sessions[1].expires_at = Some(at(10));
        sessions[2].ended = Some((at(5), EndedWhy::Logout));
        sessions[3].device = None;
        fresh.write(|tx| sessions.iter().try_for_each(|session| tx.sessions().insert(session)));
        let list = |filter: SessionFilter, after, limit| {
            let listed = fresh.read(|tx| tx.sessions().list(&filter, after, limit));
            listed.into_iter().map(|each| each.session.id.0).collect::<Vec<_>>()
        };
        let ids = |numbers: &[usize]| numbers.iter().map(|number| sessions[number - 1].id.0).collect::<Vec<_>>();
        let all = SessionFilter::default();
        assert_eq!(list(all.clone(), None, 3), ids(&[5, 4, 3]));
        assert_eq!(list(all.clone(), Some(sessions[2].id), 3), ids(&[2, 1]));
        assert_eq!(list(SessionFilter { device: Some(shop.till.id), ..all.clone() }, None, 9), ids(&[5, 3, 2, 1]));
        assert_eq!(list(SessionFilter { live: Some((true, at(10))), ..all.clone() }, None, 9), ids(&[5, 4, 1]));
        assert_eq!(list(SessionFilter { live: Some((false, at(10))), ..all.clone() }, None, 9), ids(&[3, 2]));
        let one = SessionFilter {
            tenant: Some(shop.tenant.id),
            user: Some(shop.anna.id),
            session: Some(sessions[3].id),
            ..all
        };
        let listed = fresh.read(|tx| tx.sessions().list(&one, None, 9)).pop().unwrap();
        assert_eq!((listed.user_name, listed.device_name), (Some(shop.anna.name.clone()), None));
        assert_eq!(listed.display_name, Some(shop.anna.display_name.clone()));
    }

    fn a_sweep_takes_what_was_over_before_and_no_more_than_its_limit(fresh) {
        let shop = Shop::default();
        let sessions = [
            Session { ended: Some((at(5), EndedWhy::Logout)), ..shop.session(1) },
            Session { expires_at: Some(at(9)), ..shop.session(2) },
            Session { expires_at: Some(at(10)), ..shop.session(3) },
            Session { expires_at: None, ..shop.session(4) },
            Session { expires_at: Some(at(8)), ended: Some((at(20), EndedWhy::Admin)), ..shop.session(5) },
        ];
        fresh.write(|tx| sessions.iter().try_for_each(|session| tx.sessions().insert(session)));
        assert_eq!(fresh.write(|tx| tx.sessions().sweep(at(10), 2)), 2);
        assert_eq!(fresh.write(|tx| tx.sessions().sweep(at(10), 2)), 1);
        assert_eq!(fresh.write(|tx| tx.sessions().sweep(at(10), 2)), 0);
        let left = fresh.read(|tx| tx.sessions().list(&SessionFilter::default(), None, 9));
        assert_eq!(left.iter().map(|each| each.session.id).collect::<Vec<_>>(), [sessions[3].id, sessions[2].id]);
    }

    fn a_key_is_named_by_what_is_live_only(fresh) {
        let shop = Shop::default();
        let (old, new) = (KeyId(uuid(51)), KeyId(uuid(52)));
        let sessions = [
            Session { key: new, previous_key: old, ..shop.session(1) },
            Session { key: old, previous_key: old, expires_at: Some(at(10)), ..shop.session(2) },
            Session { key: old, ended: Some((at(1), EndedWhy::Logout)), ..shop.session(3) },
        ];
        fresh.write(|tx| sessions.iter().try_for_each(|session| tx.sessions().insert(session)));
        let under = |key, seconds| fresh.read(|tx| tx.sessions().under(key, at(seconds), 9));
        let mut both = under(old, 9);
        both.sort();
        assert_eq!(both, [sessions[0].id, sessions[1].id]);
        assert_eq!(under(old, 10), [sessions[0].id]);
        assert_eq!(under(new, 10), [sessions[0].id]);
        assert!(fresh.read(|tx| tx.sessions().names(old, at(10))));
        assert!(!fresh.read(|tx| tx.sessions().names(old, at(3600))));
    }

    fn an_end_reaches_what_stands_on_the_session_and_a_raise_what_no_epoch_does(fresh) {
        let shop = Shop::default();
        let parent = shop.session(1);
        let child = Session { parent: Some(parent.id), ..shop.session(2) };
        let grandchild = Session { parent: Some(child.id), ..shop.session(3) };
        let lone = Session { kind: SessionKind::Permanent, ..shop.session(4) };
        let kept = Session { kind: SessionKind::Permanent, parent: Some(shop.session(6).id), ..shop.session(7) };
        let sessions = [parent.clone(), child.clone(), grandchild.clone(), lone.clone(), shop.session(6), kept.clone()];
        fresh.write(|tx| sessions.iter().try_for_each(|session| tx.sessions().insert(session)));
        assert!(fresh.write(|tx| tx.endings().end(parent.id, EndedWhy::Logout, at(9))));
        assert!(!fresh.write(|tx| tx.endings().end(parent.id, EndedWhy::Admin, at(10))));
        let ended = |id| fresh.read(|tx| tx.sessions().find(id)).unwrap().session.ended;
        for id in [parent.id, child.id, grandchild.id] {
            assert_eq!(ended(id), Some((at(9), EndedWhy::Logout)));
        }
        let told = fresh.read(|tx| tx.feed().look(None)).changes.len();
        assert_eq!(told, 3);
        assert_eq!(fresh.write(|tx| tx.endings().raise(Scope::Device(shop.till.id), EndedWhy::Locked, at(11))), Some(Epoch(1)));
        assert_eq!(ended(lone.id), None);
        assert_eq!(ended(shop.session(6).id), Some((at(11), EndedWhy::Locked)));
        assert_eq!(ended(kept.id), Some((at(11), EndedWhy::Locked)));
        let changes = fresh.read(|tx| tx.feed().look(None)).changes;
        let new: Vec<_> = changes[told..].iter().map(|found| found.change).collect();
        let raised = tillgate_domain::Change::Raised { scope: Scope::Device(shop.till.id), epoch: Epoch(1) };
        assert_eq!(new, [raised, tillgate_domain::Change::Ended(kept.id)]);
    }
}
