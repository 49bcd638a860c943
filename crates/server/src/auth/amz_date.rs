//! The two spellings of a request's time: ISO 8601 basic (`20260101T000000Z`) and RFC 1123.
//!
//! Signatures are made over the basic form, and Amazon's clock-skew texts print it. Times are whole
//! Unix seconds; nothing here reads a clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECONDS_PER_DAY: i64 = 86_400;

/// Seconds since the Unix epoch of a time in the basic form, or `None` when it is not exactly
/// `YYYYMMDDThhmmssZ` with a date that exists.
pub(crate) fn parse_basic(text: &str) -> Option<i64> {
    let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
    if bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let year = digits(&bytes[0..4])?;
    let (month, day) = (digits(&bytes[4..6])?, digits(&bytes[6..8])?);
    let (hour, minute, second) = (digits(&bytes[9..11])?, digits(&bytes[11..13])?, digits(&bytes[13..15])?);
    let days = days_from_civil(year, month, day);
    let exists = civil_from_days(days) == (year, month, day);
    if !exists || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)
}

/// Seconds since the Unix epoch of an RFC 1123 date, as the `Date` header carries it; botocore
/// writes the zone as `-0000`.
pub(crate) fn parse_http(text: &str) -> Option<i64> {
    let utc = text.strip_suffix(" -0000").or_else(|| text.strip_suffix(" +0000"));
    let time = match utc {
        Some(local) => httpdate::parse_http_date(&format!("{local} GMT")),
        None => httpdate::parse_http_date(text),
    };
    let time = time.ok()?;
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// The basic form of a time between the years 0 and 9999.
pub(crate) fn format_basic(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
    let (year, month, day) = civil_from_days(days);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3600, rest % 3600 / 60, rest % 60)
}

/// Whole seconds since the Unix epoch; a clock before it counts as the epoch itself.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Days since the epoch of a date of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_times_parse_and_print() {
        for (text, seconds) in
            [("19700101T000000Z", 0), ("20150830T123600Z", 1_440_938_160), ("20240229T235959Z", 1_709_251_199)]
        {
            assert_eq!(parse_basic(text), Some(seconds), "{text}");
            assert_eq!(format_basic(seconds), text);
        }
        for zone in ["GMT", "-0000", "+0000"] {
            assert_eq!(parse_http(&format!("Sun, 30 Aug 2015 12:36:00 {zone}")), Some(1_440_938_160));
        }
        assert_eq!(parse_http("Sun, 30 Aug 2015 12:36:00 +0100"), None);
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in [
            "",
            "20150830T123600",
            "20150830T123600z",
            "20150830 123600Z",
            "20230229T000000Z",
            "20150832T000000Z",
            "20151301T000000Z",
            "20150030T000000Z",
            "20150830T240000Z",
            "20150830T126000Z",
            "2015083éT12360Z",
        ] {
            assert_eq!(parse_basic(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(seconds in 0i64..253_402_300_800) {
            prop_assert_eq!(parse_basic(&format_basic(seconds)), Some(seconds));
        }

        #[test]
        fn our_calendar_agrees_with_httpdate(seconds in 0u64..253_402_300_800) {
            let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            prop_assert_eq!(parse_http(&text), Some(seconds as i64));
            let basic = format_basic(seconds as i64);
            prop_assert_eq!(&basic[0..4], &text[12..16]);
            prop_assert_eq!(&basic[6..8], &text[5..7]);
        }

        #[test]
        fn no_text_panics(text in ".{0,20}") {
            let _ = parse_basic(&text);
        }
    }
}
