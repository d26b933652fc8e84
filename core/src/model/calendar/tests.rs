use proptest::prelude::*;

use super::*;

fn calendar(expression: &str, zone: &str) -> Calendar {
    Calendar::parse(expression, zone).unwrap()
}

fn moment(text: &str) -> Timestamp {
    Timestamp::from(text.parse::<jiff::Timestamp>().unwrap())
}

/// The next `count` times after a moment, as local times with their offset.
fn times(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let calendar = calendar(expression, zone);
    let tz = TimeZone::get(zone).unwrap();
    let mut now = moment(after);
    let mut shown = Vec::new();
    for _ in 0..count {
        now = calendar.next_after(now).unwrap();
        let local = tz.to_datetime(now.to_jiff());
        shown.push(format!("{} {} {}", local.date(), local.time(), tz.to_offset(now.to_jiff())));
    }
    shown
}

fn fault(expression: &str, zone: &str) -> (String, String) {
    let fault = Calendar::parse(expression, zone).unwrap_err();
    (fault.fault, fault.remedy)
}

#[test]
fn sunday_is_zero_and_seven_and_monday_is_one() {
    // 2025-02-09 was a Sunday.
    for (field, day) in [("0", 9), ("7", 9), ("SUN", 9), ("1", 10), ("mon", 10), ("5", 14), ("Saturday", 15)] {
        let next = times(&format!("0 12 * * {field}"), "UTC", "2025-02-08T13:00:00Z", 1);
        assert_eq!(next, [format!("2025-02-{day:02} 12:00:00 +00")], "{field}");
    }
}

#[test]
fn ranges_lists_and_steps_of_weekdays_are_those_of_crontab() {
    let days = |field: &str| -> Vec<String> {
        let next = times(&format!("0 0 * * {field}"), "UTC", "2025-02-08T00:00:00Z", 7);
        next.iter().map(|time| time[8..10].to_owned()).collect()
    };
    assert_eq!(days("1-5"), ["10", "11", "12", "13", "14", "17", "18"]);
    assert_eq!(days("MON-FRI"), days("1-5"));
    assert_eq!(days("5-7"), ["09", "14", "15", "16", "21", "22", "23"]);
    assert_eq!(days("FRI-SUN"), days("5-7"));
    assert_eq!(days("0,3"), ["09", "12", "16", "19", "23", "26", "02"]);
    assert_eq!(days("1-5/2"), ["10", "12", "14", "17", "19", "21", "24"]);
    // From 0 to 7, so Sunday is in it, and so is Saturday.
    assert_eq!(days("*/2"), ["09", "11", "13", "15", "16", "18", "20"]);
}

#[test]
fn a_day_that_either_field_names_suffices_when_both_are_restricted() {
    // The example of crontab(5): at 4:30 on the 1st and the 15th of each month, plus every Friday.
    let next = times("30 4 1,15 * 5", "UTC", "2025-02-01T05:00:00Z", 6);
    let days: Vec<&str> = next.iter().map(|time| &time[5..10]).collect();
    assert_eq!(days, ["02-07", "02-14", "02-15", "02-21", "02-28", "03-01"]);
    // A field that starts with an asterisk does not restrict: both must hold.
    let next = times("0 0 */10 * 1", "UTC", "2025-02-01T05:00:00Z", 3);
    let days: Vec<&str> = next.iter().map(|time| &time[0..10]).collect();
    assert_eq!(days, ["2025-03-31", "2025-04-21", "2025-07-21"]);
}

#[test]
fn six_fields_begin_with_seconds_and_seven_end_with_the_year() {
    assert_eq!(
        times("*/20 * * * * *", "UTC", "2025-02-11T15:41:07Z", 3),
        ["2025-02-11 15:41:20 +00", "2025-02-11 15:41:40 +00", "2025-02-11 15:42:00 +00"]
    );
    assert_eq!(times("0 0 0 1 JAN ? 2031", "UTC", "2025-02-11T15:41:07Z", 1), ["2031-01-01 00:00:00 +00"]);
    assert_eq!(calendar("0 0 0 1 1 * 2031", "UTC").next_after(moment("2031-01-01T00:00:00Z")), None);
}

#[test]
fn short_forms_mean_what_crontab_says() {
    let next = |form: &str| times(form, "UTC", "2025-02-11T15:41:07Z", 1).remove(0);
    assert_eq!(next("@hourly"), "2025-02-11 16:00:00 +00");
    assert_eq!(next("@daily"), "2025-02-12 00:00:00 +00");
    assert_eq!(next("@weekly"), "2025-02-16 00:00:00 +00");
    assert_eq!(next("@monthly"), "2025-03-01 00:00:00 +00");
    assert_eq!(next("@yearly"), "2026-01-01 00:00:00 +00");
    assert!(fault("@reboot", "UTC").0.contains("@reboot"));
}

#[test]
fn the_leap_day_comes_every_four_years() {
    assert_eq!(
        times("0 0 29 2 *", "UTC", "2025-02-11T00:00:00Z", 2),
        ["2028-02-29 00:00:00 +00", "2032-02-29 00:00:00 +00"]
    );
}

#[test]
fn a_local_time_that_does_not_exist_runs_at_the_next_moment_that_does() {
    assert_eq!(
        times("30 2 * * *", "Europe/Berlin", "2025-03-29T00:00:00Z", 3),
        ["2025-03-29 02:30:00 +01", "2025-03-30 03:00:00 +02", "2025-03-31 02:30:00 +02"]
    );
    assert_eq!(
        times("30 2 * * *", "America/New_York", "2025-03-08T12:00:00Z", 2),
        ["2025-03-09 03:00:00 -04", "2025-03-10 02:30:00 -04"]
    );
    // Half an hour is skipped, from 02:00 to 02:30.
    assert_eq!(
        times("15 2 * * *", "Australia/Lord_Howe", "2025-10-04T00:00:00Z", 2),
        ["2025-10-05 02:30:00 +11", "2025-10-06 02:15:00 +11"]
    );
    assert_eq!(times("45 2 * * *", "Australia/Lord_Howe", "2025-10-04T00:00:00Z", 1), ["2025-10-05 02:45:00 +11"]);
}

#[test]
fn several_times_in_the_gap_run_once() {
    assert_eq!(
        times("*/20 2,3 * * *", "Europe/Berlin", "2025-03-29T12:00:00Z", 3),
        ["2025-03-30 03:00:00 +02", "2025-03-30 03:20:00 +02", "2025-03-30 03:40:00 +02"]
    );
}

#[test]
fn a_local_time_that_occurs_twice_runs_the_first_time() {
    assert_eq!(
        times("30 2 * * *", "Europe/Berlin", "2025-10-25T12:00:00Z", 2),
        ["2025-10-26 02:30:00 +02", "2025-10-27 02:30:00 +01"]
    );
    assert_eq!(
        times("30 1 * * *", "America/New_York", "2025-11-02T00:00:00Z", 2),
        ["2025-11-02 01:30:00 -04", "2025-11-03 01:30:00 -05"]
    );
    assert_eq!(
        times("*/15 1,2 * * *", "Australia/Lord_Howe", "2025-04-05T14:00:00Z", 8),
        [
            "2025-04-06 01:15:00 +11",
            "2025-04-06 01:30:00 +11",
            "2025-04-06 01:45:00 +11",
            "2025-04-06 02:00:00 +10:30",
            "2025-04-06 02:15:00 +10:30",
            "2025-04-06 02:30:00 +10:30",
            "2025-04-06 02:45:00 +10:30",
            "2025-04-07 01:00:00 +10:30"
        ]
    );
}

#[test]
fn within_the_hour_shown_for_the_second_time_the_next_is_after_it() {
    // 02:10 for the second time: 01:10 UTC.
    assert_eq!(times("* * 0-22 * * *", "Europe/Berlin", "2025-10-26T01:10:00Z", 1), ["2025-10-26 03:00:00 +01"]);
}

#[test]
fn what_runs_in_every_hour_is_neither_silent_nor_hurried_when_clocks_change() {
    assert_eq!(
        times("*/30 * * * *", "Europe/Berlin", "2025-10-25T23:50:00Z", 6),
        [
            "2025-10-26 02:00:00 +02",
            "2025-10-26 02:30:00 +02",
            "2025-10-26 02:00:00 +01",
            "2025-10-26 02:30:00 +01",
            "2025-10-26 03:00:00 +01",
            "2025-10-26 03:30:00 +01"
        ]
    );
    assert_eq!(times("* * * * * *", "Europe/Berlin", "2025-10-26T01:10:00Z", 1), ["2025-10-26 02:10:01 +01"]);
    assert_eq!(
        times("*/30 * * * *", "Europe/Berlin", "2025-03-30T00:20:00Z", 3),
        ["2025-03-30 01:30:00 +01", "2025-03-30 03:00:00 +02", "2025-03-30 03:30:00 +02"]
    );
    assert_eq!(
        times("@hourly", "Australia/Lord_Howe", "2025-04-05T14:30:00Z", 2),
        ["2025-04-06 02:00:00 +10:30", "2025-04-06 03:00:00 +10:30"]
    );
}

#[test]
fn a_day_that_a_zone_leaves_out_runs_when_the_next_begins() {
    // Samoa crossed the date line: there was no 2011-12-30.
    assert_eq!(times("0 12 30 * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 1), ["2011-12-31 00:00:00 +14"]);
}

#[test]
fn faults_are_plain_sentences_with_a_remedy() {
    let cases = [
        (
            "* * *",
            "`* * *` has 3 fields",
            "write 5 fields (minute hour day month weekday), 6 (second first) or 7 (year last)",
        ),
        ("60 * * * *", "60 is no minute", "write a number from 0 to 59"),
        ("0 24 * * *", "24 is no hour", "write a number from 0 to 23"),
        ("0 0 0 * *", "0 is no day of the month", "write a number from 1 to 31"),
        ("0 0 * 13 *", "13 is no month", "write a number from 1 to 12"),
        ("0 0 * * 8", "8 is no day of the week", "write a number from 0 to 7"),
        ("0 0 * * MOO", "`MOO` is no day of the week", "write a number from 0 to 7, or a name like SUN"),
        ("0 0 * Juno *", "`Juno` is no month", "write a number from 1 to 12, or a name like JAN"),
        ("MON 0 * * *", "`MON` is no minute", "write a number from 0 to 59"),
        ("5/15 * * * *", "`5/15` has a step but no range, in the field for the minute", "write 5-59/15"),
        ("*/0 * * * *", "`*/0` has no step after the slash, in the field for the minute", "write a step like */5"),
        ("0 18-8 * * *", "the range `18-8` runs backwards, in the field for the hour", "write 18-23,0-8"),
        ("1,,2 * * * *", "a number is missing, in the field for the minute", "write a number from 0 to 59"),
        (
            "0 0 31 2 *",
            "`0 0 31 2 *` never comes about: no month has such a day",
            "check the day of the month against the month",
        ),
    ];
    for (expression, text, remedy) in cases {
        assert_eq!(fault(expression, "UTC"), (text.to_owned(), remedy.to_owned()), "{expression}");
    }
}

#[test]
fn an_unknown_zone_brings_the_nearest_known_one() {
    let remedy = |zone: &str| fault("0 0 * * *", zone).1;
    assert_eq!(remedy("Europe/Belrin"), "did you mean `Europe/Berlin`?");
    assert_eq!(remedy("berlin"), "did you mean `Europe/Berlin`?");
    assert_eq!(remedy("New York"), "did you mean `America/New_York`?");
    assert_eq!(remedy("the moon, far side"), "write an IANA name like Europe/Berlin or UTC");
}

#[test]
fn there_is_nothing_after_the_last_year_and_everything_after_the_beginning_of_time() {
    let calendar = calendar("0 0 1 1 *", "UTC");
    assert_eq!(calendar.next_after(moment("2099-06-01T00:00:00Z")), None);
    assert_eq!(calendar.next_after(Timestamp::from_millis(i64::MAX)), None);
    assert_eq!(calendar.next_after(Timestamp::from_millis(i64::MIN)), Some(Timestamp::from_millis(0)));
}

/// A field as people write it, within bounds.
fn field(least: u32, most: u32) -> impl Strategy<Value = String> {
    let number = least..=most;
    let item = prop_oneof![
        2 => Just("*".to_owned()),
        1 => (1..=most).prop_map(|step| format!("*/{step}")),
        2 => number.clone().prop_map(|number| number.to_string()),
        1 => (number.clone(), number, 1..5u32).prop_map(|(a, b, step)| format!("{}-{}/{step}", a.min(b), a.max(b))),
    ];
    prop::collection::vec(item, 1..3).prop_map(|items| items.join(","))
}

fn expression() -> impl Strategy<Value = String> {
    (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7))
        .prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"))
}

/// Whether a number is in a field; another reading of crontab(5) than the one that is tested.
fn holds(field: &str, least: u32, most: u32, number: u32) -> bool {
    field.split(',').any(|item| {
        let (span, step) = item.split_once('/').unwrap_or((item, "1"));
        let (first, last) = match span.split_once('-') {
            Some((first, last)) => (first.parse().unwrap(), last.parse().unwrap()),
            None if span == "*" => (least, most),
            None => (span.parse().unwrap(), span.parse().unwrap()),
        };
        (first..=last).contains(&number) && (number - first).is_multiple_of(step.parse::<u32>().unwrap())
    })
}

fn matches(expression: &str, time: DateTime) -> bool {
    let fields: Vec<&str> = expression.split(' ').collect();
    let part = |number: i8| u32::try_from(number).unwrap();
    let weekday = part(time.weekday().to_sunday_zero_offset());
    let day = holds(fields[2], 1, 31, part(time.day()));
    let of_week = holds(fields[4], 0, 7, weekday) || (weekday == 0 && holds(fields[4], 0, 7, 7));
    let any = fields[2].starts_with('*') || fields[4].starts_with('*');
    holds(fields[0], 0, 59, part(time.minute()))
        && holds(fields[1], 0, 23, part(time.hour()))
        && holds(fields[3], 1, 12, part(time.month()))
        && if any { day && of_week } else { day || of_week }
}

const ZONES: [&str; 6] =
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Monrovia"];

#[test]
fn the_longest_pause_is_that_of_nights_weekends_and_months_that_have_no_such_day() {
    let pause = |expression: &str| Calendar::parse(expression, "UTC").unwrap().longest_pause().as_secs();
    let (hour, day) = (3_600, 86_400);
    assert_eq!(pause("*/5 * * * *"), 300);
    assert_eq!(pause("*/5 8-18 * * MON-FRI"), 2 * day + 13 * hour + 300);
    assert_eq!(pause("0 3 * * *"), day);
    assert_eq!(pause("0 0 31 * *"), 61 * day);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_written_makes_it_panic(text in "[0-9a-zA-Z*/,?@ -]{0,40}", zone in "[A-Za-z/_]{0,20}") {
        let _ = Calendar::parse(&text, &zone);
        if let Ok(calendar) = Calendar::parse(&text, "Europe/Berlin") {
            let _ = calendar.next_after(Timestamp::from_millis(0));
        }
    }

    #[test]
    fn each_next_time_is_later_than_the_last(
        expression in expression(),
        zone in prop::sample::select(&ZONES[..]),
        start in 0i64..4_000_000_000_000,
    ) {
        if let Ok(calendar) = Calendar::parse(&expression, zone) {
            let mut now = Timestamp::from_millis(start);
            for _ in 0..20 {
                let Some(next) = calendar.next_after(now) else { break };
                prop_assert!(next > now, "{expression} in {zone}: {next} after {now}");
                // Asking from anywhere between gives the same answer.
                let between = Timestamp::from_millis(now.as_millis().midpoint(next.as_millis()));
                if between < next {
                    prop_assert_eq!(calendar.next_after(between), Some(next));
                }
                now = next;
            }
        }
    }

    #[test]
    fn in_utc_the_next_time_is_the_first_minute_that_crontab_would_match(
        expression in expression(),
        start in 0i64..4_000_000_000_000,
    ) {
        let start = Timestamp::from_millis(start / 60_000 * 60_000);
        if let Ok(calendar) = Calendar::parse(&expression, "UTC") {
            let minute = std::time::Duration::from_mins(1);
            let mut now = start + minute;
            // A week of minutes; most expressions match within it.
            let end = start + minute * 60 * 24 * 7;
            while now <= end && !matches(&expression, TimeZone::UTC.to_datetime(now.to_jiff())) {
                now = now + minute;
            }
            let next = calendar.next_after(start);
            if now <= end {
                prop_assert_eq!(next, Some(now));
            } else {
                prop_assert!(next.is_none_or(|next| next > end), "{:?} before {}", next, end);
            }
        }
    }
}
