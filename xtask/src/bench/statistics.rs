//! Medians and percentiles, and numbers as the tables write them.

use std::time::Duration;

/// The middle value; of an even number of values the upper one of the two. 0 of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    percentile(values, 50)
}

/// The value that `percent` of the values do not exceed, by nearest rank. 0 of none.
pub fn percentile(values: impl IntoIterator<Item = f64>, percent: usize) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(rank).copied().unwrap_or_default()
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_found_whatever_the_order() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([]), 0.0);
        assert_eq!(percentile((1..=100).rev().map(f64::from), 99), 100.0);
        assert_eq!(percentile((1..=1000).map(f64::from), 99), 991.0);
        assert_eq!(percentile([7.0], 99), 7.0);
    }
}
