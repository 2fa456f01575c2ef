//! What happens in the day of the full shop, and when, in minutes before its creation.

use std::time::Duration;

use crate::command::demo::seeded_random::SeededRandom;

/// A person at a till.
#[derive(Debug)]
pub(super) struct Shift {
    pub(super) person: &'static str,
    pub(super) till: &'static str,
    /// The API through which the till logs in.
    pub(super) dialect: &'static str,
    begins: u64,
    end: ShiftEnd,
}

/// How a shift ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ShiftEnd {
    /// The person logs out.
    Logout(u64),
    /// Another person, or somebody in the office, ends the session.
    Taken(u64),
    /// The person is still logged in, and used the till last at this time.
    Working(u64),
}

/// Something that happens apart from sales.
#[derive(Debug)]
pub(super) enum Incident {
    /// A person mistypes the password at a till.
    WrongPassword { person: &'static str, till: &'static str },
    /// A person tries to log in at a till where that is not possible.
    RefusedLogin { person: &'static str, till: &'static str },
    /// The person at a till tries to refund a ticket without the right to it.
    MissingRight { till: &'static str },
    /// The administrator suspends a person.
    Suspend { person: &'static str },
    /// The administrator locks a till.
    Lock { till: &'static str },
    /// A manager ends the session at a till.
    EndSession { manager: &'static str, till: &'static str },
    /// Somebody guesses the password of a person until further logins are delayed.
    Guessing { person: &'static str },
}

/// One moment of the day.
#[derive(Debug)]
pub(super) enum TimetableStep {
    /// The shift begins.
    LogIn(&'static Shift),
    /// The till is used: a sale, or a part of one.
    Sell(&'static Shift),
    /// The till is used without a sale.
    Use(&'static Shift),
    /// The person logs out.
    LogOut(&'static Shift),
    /// Something else.
    Incident(&'static Incident),
}

const fn shift(person: &'static str, till: &'static str, dialect: &'static str, begins: u64, end: ShiftEnd) -> Shift {
    Shift { person, till, dialect, begins, end }
}

static SHIFTS: &[Shift] = &[
    shift("martin.horvath", "P02", "portos", 1_412, ShiftEnd::Logout(1_010)),
    shift("budi.santoso", "P07", "native", 1_405, ShiftEnd::Logout(990)),
    shift("lucia.tothova", "P03", "native", 1_400, ShiftEnd::Logout(1_000)),
    shift("dewi.lestari", "P08", "native", 1_398, ShiftEnd::Logout(985)),
    shift("tomas.balaz", "P06", "portos", 1_395, ShiftEnd::Logout(1_105)),
    shift("katarina.novakova", "P01", "portos", 1_390, ShiftEnd::Logout(1_015)),
    shift("peter.varga", "P01", "portos", 976, ShiftEnd::Logout(610)),
    shift("rina.kusumawati", "P09", "native", 970, ShiftEnd::Logout(640)),
    shift("agus.wijaya", "P12", "portos", 960, ShiftEnd::Logout(655)),
    shift("zuzana.kovacova", "PDA1", "native", 940, ShiftEnd::Logout(700)),
    shift("siti.rahmawati", "P07", "native", 905, ShiftEnd::Logout(830)),
    shift("katarina.novakova", "P01", "portos", 410, ShiftEnd::Logout(180)),
    shift("martin.horvath", "P02", "portos", 404, ShiftEnd::Taken(175)),
    shift("siti.rahmawati", "P07", "native", 182, ShiftEnd::Working(6)),
    shift("lucia.tothova", "P03", "native", 176, ShiftEnd::Working(3)),
    shift("katarina.novakova", "P05", "portos", 172, ShiftEnd::Working(48)),
    shift("budi.santoso", "P08", "native", 171, ShiftEnd::Working(2)),
    shift("peter.varga", "P04", "portos", 168, ShiftEnd::Working(1)),
    shift("dewi.lestari", "P10", "native", 166, ShiftEnd::Working(35)),
    shift("agus.wijaya", "P12", "portos", 120, ShiftEnd::Working(8)),
];

static INCIDENTS: &[(u64, Incident)] = &[
    (1_406, Incident::WrongPassword { person: "budi.santoso", till: "P07" }),
    (978, Incident::WrongPassword { person: "peter.varga", till: "P01" }),
    (395, Incident::Suspend { person: "tomas.balaz" }),
    (392, Incident::Lock { till: "P06" }),
    (350, Incident::MissingRight { till: "P01" }),
    (175, Incident::EndSession { manager: "zuzana.kovacova", till: "P02" }),
    (95, Incident::RefusedLogin { person: "peter.varga", till: "P06" }),
    (93, Incident::RefusedLogin { person: "dewi.lestari", till: "P09" }),
    (12, Incident::RefusedLogin { person: "tomas.balaz", till: "P05" }),
    (2, Incident::Guessing { person: "rina.kusumawati" }),
];

/// The least and the greatest number of minutes between two sales at a till.
const SALE_INTERVAL: (u64, u64) = (100, 160);

/// The moments of the day in their order, each with how long before the creation of the shop it is.
pub(super) fn build_timetable(random: &mut SeededRandom) -> Vec<(Duration, TimetableStep)> {
    let mut moments: Vec<(u64, TimetableStep)> =
        INCIDENTS.iter().map(|(ago, incident)| (*ago, TimetableStep::Incident(incident))).collect();
    for shift in SHIFTS {
        let (ShiftEnd::Logout(last) | ShiftEnd::Taken(last) | ShiftEnd::Working(last)) = shift.end;
        moments.push((shift.begins, TimetableStep::LogIn(shift)));
        let mut ago = shift.begins.saturating_sub(random.number_between(5, 20));
        // the last minutes of a shift have no sale, so that moments of a till keep their order
        while ago > last + 5 {
            moments.push((ago, TimetableStep::Sell(shift)));
            ago = ago.saturating_sub(random.number_between(SALE_INTERVAL.0, SALE_INTERVAL.1));
        }
        match shift.end {
            ShiftEnd::Logout(ago) => moments.push((ago, TimetableStep::LogOut(shift))),
            ShiftEnd::Working(ago) => moments.push((ago, TimetableStep::Use(shift))),
            ShiftEnd::Taken(_) => {}
        }
    }
    moments.sort_by_key(|(ago, _)| std::cmp::Reverse(*ago));
    moments.into_iter().map(|(ago, step)| (Duration::from_secs(ago * 60), step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::demo::staff::PEOPLE;

    #[test]
    fn people_work_where_they_may_log_in() {
        for shift in SHIFTS {
            let person = PEOPLE.iter().find(|person| person.name == shift.person).unwrap();
            assert!(person.devices.iter().any(|(device, _)| *device == shift.till), "{shift:?}");
        }
    }

    #[test]
    fn moments_are_in_order_and_those_of_a_shift_within_it() {
        let moments = build_timetable(&mut SeededRandom::new(1));
        assert!(moments.windows(2).all(|pair| pair[0].0 >= pair[1].0));
        for shift in SHIFTS {
            let steps: Vec<&TimetableStep> =
                moments.iter().map(|(_, step)| step).filter(|step| is_of(step, shift)).collect();
            assert!(matches!(steps[0], TimetableStep::LogIn(_)), "{shift:?}");
            assert!(steps.len() > 2, "{shift:?} has a sale");
            let (ago, last) = moments.iter().rfind(|(_, step)| is_of(step, shift)).unwrap();
            let ago = ago.as_secs() / 60;
            let ends = match shift.end {
                ShiftEnd::Logout(end) => matches!(last, TimetableStep::LogOut(_)) && ago == end,
                ShiftEnd::Working(end) => matches!(last, TimetableStep::Use(_)) && ago == end,
                ShiftEnd::Taken(end) => matches!(last, TimetableStep::Sell(_)) && ago > end,
            };
            assert!(ends, "{shift:?} ends {ago} minutes ago with {last:?}");
        }
    }

    fn is_of(step: &TimetableStep, shift: &Shift) -> bool {
        match step {
            TimetableStep::LogIn(each)
            | TimetableStep::Sell(each)
            | TimetableStep::Use(each)
            | TimetableStep::LogOut(each) => std::ptr::eq(*each, shift),
            TimetableStep::Incident(_) => false,
        }
    }
}
