//! Docker's points in time: RFC 3339 text with up to nine digits after the second.

use longshore_ecs_wire::Timestamp;

/// Reads a point in time, cut to milliseconds. `None` for text that is not one, and for Docker's way of saying
/// "never", which is the first second of the year 1.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut clock = clock.splitn(3, ':').map(number);
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let legal = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !legal || year <= 1 {
        return None;
    }
    let millis = number(&fraction.chars().chain("00".chars()).take(3).collect::<String>())?;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(Timestamp::from_millis((seconds - offset_seconds(zone)?) * 1000 + millis))
}

/// Up to nine decimal digits.
fn number(digits: &str) -> Option<i64> {
    let legal = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    legal.then(|| digits.parse().ok()).flatten()
}

/// Seconds that local time is ahead of UTC: `Z`, `+01:00`, `-07:00`.
fn offset_seconds(zone: &str) -> Option<i64> {
    let sign = match zone.chars().next()? {
        'Z' | 'z' => return (zone.len() == 1).then_some(0),
        '-' => -1,
        _ => 1,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    Some(sign * (number(hours)? * 3600 + number(minutes)? * 60))
}

/// Days from 1970-01-01 in the Gregorian calendar, counted in years that begin in March, so that the leap day is
/// a year's last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(text: &str) -> Option<i64> {
        parse(text).map(Timestamp::millis)
    }

    #[test]
    fn points_in_time_are_read() {
        assert_eq!(millis("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(millis("2026-11-23T17:47:43.123456789Z"), Some(1_795_456_063_123));
        assert_eq!(millis("2024-02-29T23:59:59.5+01:30"), Some(1_709_245_799_500));
        assert_eq!(millis("2000-03-01T00:00:00-07:00"), Some(951_894_000_000));
    }

    #[test]
    fn never_and_nonsense_are_none() {
        for text in [
            "0001-01-01T00:00:00Z",
            "",
            "2026-11-23",
            "2026-13-01T00:00:00Z",
            "2026-11-23T25:00:00Z",
            "2026-11-23T00:00:00",
            "2026-11-23T00:00:00+1",
            "x-11-23T00:00:00Z",
            "2026-11-23T00:00:00.xZ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut expected = days_since_1970(1969, 12, 31);
        for year in 1970..2200 {
            for month in 1..=12 {
                let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
                let days = match month {
                    2 if leap => 29,
                    2 => 28,
                    4 | 6 | 9 | 11 => 30,
                    _ => 31,
                };
                for day in 1..=days {
                    expected += 1;
                    assert_eq!(days_since_1970(year, month, day), expected, "{year}-{month}-{day}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*", shaped in "[0-9]{0,5}-[0-9]{1,2}-[0-9]{1,2}T[0-9:.+Z-]{0,30}") {
            let _ = parse(&text);
            let _ = parse(&shaped);
        }
    }
}
