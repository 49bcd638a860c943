//! Timestamps on the wire.

use longshore_ecs_wire::Timestamp;
use proptest::prelude::*;

fn read(text: &str) -> Option<i64> {
    serde_json::from_str::<Timestamp>(text).ok().map(Timestamp::millis)
}

fn written(millis: i64) -> String {
    serde_json::to_string(&Timestamp::from_millis(millis)).unwrap()
}

#[test]
fn seconds_with_a_millisecond_fraction_are_written() {
    assert_eq!(written(1_479_765_460_842), "1479765460.842");
    assert_eq!(written(1_479_765_460_840), "1479765460.84");
    assert_eq!(written(1_479_765_460_000), "1479765460.0");
    assert_eq!(written(0), "0.0");
    assert_eq!(written(-1), "-0.001");
}

#[test]
fn every_spelling_of_a_number_is_read() {
    for (text, millis) in [
        ("1479765460.842", 1_479_765_460_842),
        ("1479765460", 1_479_765_460_000),
        ("1479765460.0", 1_479_765_460_000),
        ("1.479765460842E9", 1_479_765_460_842),
        ("1.47976546e+9", 1_479_765_460_000),
        ("1479765460.8419", 1_479_765_460_842),
        ("-5", -5_000),
    ] {
        assert_eq!(read(text), Some(millis), "{text}");
    }
}

#[test]
fn other_things_are_refused() {
    for text in ["\"2016-11-21T21:57:40Z\"", "\"1\"", "null", "true", "[1]", "NaN", "1e400", "1e300", "-1e300"] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(read("253402300799.999"), Some(Timestamp::LIMIT));
    assert_eq!(read("253402300800"), None);
}

#[test]
fn arithmetic_stops_at_the_ends() {
    let end = Timestamp::from_millis(i64::MAX);
    assert_eq!(end.plus_seconds(1), end);
    assert_eq!(Timestamp::from_millis(500).plus_seconds(-1).millis(), -500);
    assert_eq!(Timestamp::from_millis(500).plus_millis(1).millis(), 501);
    assert_eq!(Timestamp::from_millis(500).millis_since(Timestamp::from_millis(700)), -200);
}

proptest! {
    #[test]
    fn a_millisecond_survives_a_round_trip(millis in -Timestamp::LIMIT..=Timestamp::LIMIT) {
        prop_assert_eq!(read(&written(millis)), Some(millis));
    }
}
