//! Numbers for people: counts with separators, bytes with a unit.

/// A number with a comma between every three digits.
pub(crate) fn count(number: u64) -> String {
    let mut groups = Vec::new();
    let mut rest = number;
    while rest >= 1000 {
        groups.push(format!(",{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.push(rest.to_string());
    groups.iter().rev().map(String::as_str).collect()
}

/// A count with its noun: `1 session`, `2 sessions`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// Bytes with a decimal unit and at most one digit after the point.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if number < 1000 {
        return format!("{number} B");
    }
    // Tenths of the unit, in whole numbers: no rounding can pass 999.9.
    let mut tenths = number / 100;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while tenths >= 10_000 {
        tenths /= 1000;
        unit = units.next();
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, unit.unwrap_or(&"EB"))
}

/// How many times `whole` goes into `part`, such as `0.26x`; `-` if there is no whole.
pub(crate) fn ratio(part: u64, whole: u64) -> String {
    ratio_number(part, whole).map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x"))
}

/// `part / whole`, or `None` if there is no whole.
#[expect(clippy::cast_precision_loss, reason = "a ratio to two digits")]
pub(crate) fn ratio_number(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_its_noun() {
        assert_eq!(counted(1, "session"), "1 session");
        assert_eq!(counted(2, "session"), "2 sessions");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000_023), "1,000,023");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn bytes_have_a_unit() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1000), "1.0 kB");
        assert_eq!(bytes(999_999), "999.9 kB");
        assert_eq!(bytes(1_000_000), "1.0 MB");
        assert_eq!(bytes(2_450_000_000), "2.4 GB");
        assert_eq!(bytes(u64::MAX), "18.4 EB");
    }

    #[test]
    fn a_ratio_needs_a_whole() {
        assert_eq!(ratio(26, 100), "0.26x");
        assert_eq!(ratio(26, 0), "-");
    }
}
