//! Medians and percentiles.

/// The middle value; the mean of the two middle ones of an even number; none of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => sorted.get(middle).copied(),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// A percentile of values that were cut to whole numbers, such as milliseconds: each stands for all values from
/// itself to the next, so that the result is not stepped. `share` is a part of one.
#[must_use]
pub fn percentile_of_whole(values: &[u64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = share.clamp(0.0, 1.0) * sorted.len() as f64;
    let value = *sorted.get((rank as usize).min(sorted.len().checked_sub(1)?))?;
    let below = sorted.partition_point(|v| *v < value);
    let here = sorted.partition_point(|v| *v <= value) - below;
    Some(value as f64 + ((rank - below as f64) / here as f64).clamp(0.0, 1.0))
}

/// By how much `now` is more than `before`, in percent; none if `before` is nothing.
#[must_use]
pub fn change_percent(before: f64, now: f64) -> Option<f64> {
    (before > 0.0).then(|| (now / before - 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_percentile_of_whole_numbers_is_not_stepped() {
        assert_eq!(percentile_of_whole(&[], 0.95), None);
        assert_eq!(percentile_of_whole(&[1; 100], 0.95), Some(1.95));
        let mut values = vec![1; 90];
        values.extend([2; 10]);
        assert_eq!(percentile_of_whole(&values, 0.95), Some(2.5));
        assert_eq!(percentile_of_whole(&values, 1.0), Some(3.0));
    }

    #[test]
    fn a_change_is_in_percent() {
        assert_eq!(change_percent(2.0, 2.5), Some(25.0));
        assert_eq!(change_percent(0.0, 2.5), None);
    }
}
