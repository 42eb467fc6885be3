use super::*;

fn at(text: &str) -> UtcMs {
    UtcMs::read_iso(text).unwrap()
}

fn every(interval: i64, unit: Unit, start: &str) -> Recurrence {
    Recurrence {
        unit,
        interval,
        start: at(start),
        end: None,
        day_of_month: None,
        day_of_week: None,
        month_of_year: None,
    }
}

/// The first times of a rule, as its zone's clock shows them.
fn times(rule: &Recurrence, zone: &str, count: usize) -> Vec<String> {
    let zone = TimeZoneName::parse(zone).unwrap();
    let (mut after, mut times) = (UtcMs(rule.start.0 - 1), Vec::new());
    while let Some(time) = rule.first_after(&zone, after).filter(|_| times.len() < count) {
        assert!(time > after);
        times.push(time.in_zone(&zone.to_zone()).strftime("%Y-%m-%dT%H:%M").to_string());
        after = time;
    }
    times
}

#[test]
fn days_go_by_the_calendar_and_hours_do_not() {
    // Clocks in Berlin skip an hour on 28 March 2027, and show one twice on 31 October.
    let daily = every(1, Unit::Daily, "2027-03-27T08:00:00Z");
    assert_eq!(times(&daily, "Europe/Berlin", 3), ["2027-03-27T09:00", "2027-03-28T09:00", "2027-03-29T09:00"]);
    let skipped = every(1, Unit::Daily, "2027-03-27T01:30:00Z");
    assert_eq!(times(&skipped, "Europe/Berlin", 3), ["2027-03-27T02:30", "2027-03-28T03:30", "2027-03-29T02:30"]);
    let twice = every(1, Unit::Daily, "2027-10-30T00:30:00Z");
    assert_eq!(times(&twice, "Europe/Berlin", 3), ["2027-10-30T02:30", "2027-10-31T02:30", "2027-11-01T02:30"]);
    let hourly = every(12, Unit::Hourly, "2027-03-27T20:00:00Z");
    assert_eq!(times(&hourly, "Europe/Berlin", 3), ["2027-03-27T21:00", "2027-03-28T10:00", "2027-03-28T22:00"]);
}

#[test]
fn a_day_that_a_month_does_not_have_is_its_last() {
    let monthly = every(1, Unit::Monthly, "2027-12-31T12:00:00Z");
    let expected = ["2027-12-31T12:00", "2028-01-31T12:00", "2028-02-29T12:00", "2028-03-31T12:00", "2028-04-30T12:00"];
    assert_eq!(times(&monthly, "UTC", 5), expected);
    let yearly = every(1, Unit::Yearly, "2028-02-29T12:00:00Z");
    assert_eq!(times(&yearly, "UTC", 3), ["2028-02-29T12:00", "2029-02-28T12:00", "2030-02-28T12:00"]);
    let november = Recurrence { month_of_year: Some(11), day_of_month: Some(31), ..yearly };
    assert_eq!(times(&november, "UTC", 2), ["2028-11-30T12:00", "2029-11-30T12:00"]);
}

#[test]
fn the_interval_counts_from_the_period_of_the_start_and_nothing_is_before_it() {
    // 15 January 2027 is a Friday.
    let weekly = every(2, Unit::Weekly, "2027-01-15T12:00:00Z");
    assert_eq!(times(&weekly, "UTC", 2), ["2027-01-15T12:00", "2027-01-29T12:00"]);
    let mondays = Recurrence { day_of_week: Some(Weekday::Monday), ..weekly.clone() };
    assert_eq!(times(&mondays, "UTC", 2), ["2027-01-25T12:00", "2027-02-08T12:00"]);
    let sundays = Recurrence { day_of_week: Some(Weekday::Sunday), ..weekly };
    assert_eq!(times(&sundays, "UTC", 2), ["2027-01-17T12:00", "2027-01-31T12:00"]);
    let monthly = Recurrence { day_of_month: Some(1), ..every(2, Unit::Monthly, "2027-01-15T12:00:00Z") };
    assert_eq!(times(&monthly, "UTC", 2), ["2027-03-01T12:00", "2027-05-01T12:00"]);
    let ends = Recurrence { end: Some(at("2027-03-01T12:00:00Z")), ..monthly };
    assert_eq!(times(&ends, "UTC", 9), ["2027-03-01T12:00"]);
}

#[test]
fn the_last_time_until_now_is_found_however_long_ago_it_began() {
    let zone = TimeZoneName::parse("America/New_York").unwrap();
    for unit in Unit::ALL {
        for interval in [1, 2, 3, 7, 100] {
            let rule = every(interval, *unit, "1999-12-31T23:59:59Z");
            assert_eq!(rule.last_until(&zone, UtcMs(rule.start.0 - 1)), None);
            assert_eq!(rule.last_until(&zone, rule.start), Some(rule.start), "{unit:?}");
            let mut time = rule.start;
            for _ in 0..300 {
                let Some(next) = rule.first_after(&zone, time) else { break };
                assert_eq!(
                    rule.last_until(&zone, UtcMs(next.0 - 1)),
                    Some(time),
                    "{unit:?} {interval} before {next:?}"
                );
                assert_eq!(rule.last_until(&zone, next), Some(next), "{unit:?} {interval}");
                time = next;
            }
        }
    }
    // The calendar ends.
    for unit in Unit::ALL {
        let rule = every(10_000, *unit, "9999-12-31T00:00:00Z");
        assert_eq!(rule.last_until(&zone, UtcMs::MAX), Some(rule.start), "{unit:?}");
        assert_eq!(rule.first_after(&zone, rule.start), None, "{unit:?}");
    }
}

#[test]
fn what_does_not_go_together_is_named() {
    let rule = Recurrence {
        end: Some(at("2026-01-01T00:00:00Z")),
        day_of_month: Some(1),
        day_of_week: Some(Weekday::Monday),
        month_of_year: Some(1),
        ..every(1, Unit::Daily, "2027-01-01T00:00:00Z")
    };
    let named: Vec<&str> = rule.contradictions().into_iter().map(|(field, _)| field).collect();
    assert_eq!(named, ["dayOfMonth", "dayOfWeek", "monthOfYear", "endDate"]);
    assert_eq!(every(1, Unit::Daily, "2027-01-01T00:00:00Z").contradictions(), []);
}
