//! Times in lines: RFC 3339 text, or a count since 1970.

use crate::json::Json;
use chrono::{DateTime, NaiveDateTime, Utc};

use super::fields;

/// The first moment of 2200, in microseconds. A time at or after it, or before 1970, is a
/// placeholder or an accident and counts as unset.
const END_US: i64 = 7_258_118_400_000_000;

/// The smallest number that is taken for a time: 100 million seconds, in 1973. Below it lie
/// durations and counters.
const NUMBER_MIN: f64 = 1e8;

/// A value as microseconds since 1970: RFC 3339 text with any fraction and offset, or seconds,
/// milliseconds, microseconds or nanoseconds since 1970 as a number.
pub(crate) fn time_us(value: Option<Json<'_>>) -> Option<i64> {
    let json = value?.get();
    let micros = match json.as_bytes().first()? {
        b'"' => {
            let text = fields::text(value)?;
            DateTime::parse_from_rfc3339(text.trim())
                .ok()?
                .timestamp_micros()
        }
        b'0'..=b'9' => epoch_us(json)?,
        _ => return None,
    };
    (0..END_US).contains(&micros).then_some(micros)
}

/// [`time_us`], as a date.
pub(crate) fn time(value: Option<Json<'_>>) -> Option<DateTime<Utc>> {
    time_us(value).and_then(DateTime::from_timestamp_micros)
}

/// [`time_us`], and besides what SQLite writes for a time: `2026-04-03 09:45:00`, in UTC.
pub(crate) fn sql_time_us(value: Option<Json<'_>>) -> Option<i64> {
    let read = || {
        let text = fields::text(value)?;
        let at = NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%d %H:%M:%S%.f").ok()?;
        let micros = at.and_utc().timestamp_micros();
        (0..END_US).contains(&micros).then_some(micros)
    };
    time_us(value).or_else(read)
}

/// The unit follows from the size: of all readings as a time before 2200, the coarsest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the value is in range, and a number with a fraction has no more precision than this"
)]
fn epoch_us(json: &str) -> Option<i64> {
    let end = END_US as f64;
    let number: f64 = json.parse().ok()?;
    if !(NUMBER_MIN..end * 1e3).contains(&number) {
        return None;
    }
    // A whole number is scaled as one: nanoseconds of today have more digits than a float.
    let whole: Option<i64> = json.parse().ok();
    let scaled = |factor: i64| {
        whole.map_or((number * factor as f64).round() as i64, |whole| {
            whole.saturating_mul(factor)
        })
    };
    // The unit shows by the size alone: each goes up to the year 2200.
    Some(if number < end / 1e6 {
        scaled(1_000_000)
    } else if number < end / 1e3 {
        scaled(1_000)
    } else if number < end {
        scaled(1)
    } else {
        whole.map_or((number / 1e3) as i64, |whole| whole / 1_000)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(json: &str) -> Option<i64> {
        let value: Json<'_> = serde_json::from_str(json).unwrap();
        time_us(Some(value))
    }

    #[test]
    fn text_with_any_fraction_and_offset_is_read() {
        assert_eq!(us("\"2026-04-03T09:45:00Z\""), Some(1_775_209_500_000_000));
        assert_eq!(
            us("\"2026-04-03T11:45:00.1002003+02:00\""),
            Some(1_775_209_500_100_200)
        );
        assert_eq!(
            us("\"2026-04-03T09:45:00.123456789012Z\""),
            Some(1_775_209_500_123_456)
        );
    }

    #[test]
    fn numbers_are_read_by_their_size() {
        for json in [
            "1775209500",
            "1775209500.0",
            "1775209500000",
            "1775209500000000",
            "1775209500000000000",
            "1.7752095e9",
        ] {
            assert_eq!(us(json), Some(1_775_209_500_000_000), "{json}");
        }
        assert_eq!(us("1775209500.25"), Some(1_775_209_500_250_000));
    }

    #[test]
    fn what_sqlite_writes_is_utc() {
        let sql = |json: &str| sql_time_us(Some(serde_json::from_str(json).unwrap()));
        for json in [
            "\"2026-04-03 09:45:00\"",
            "\"2026-04-03 09:45:00.000\"",
            "\"2026-04-03T09:45:00Z\"",
            "1775209500",
        ] {
            assert_eq!(sql(json), Some(1_775_209_500_000_000), "{json}");
        }
        assert_eq!(sql("\"2026-04-03 25:45:00\""), None);
        assert_eq!(us("\"2026-04-03 09:45:00\""), None);
    }

    #[test]
    fn placeholders_and_accidents_are_unset() {
        for json in [
            "\"0001-01-01T00:00:00Z\"",
            "\"2200-01-01T00:00:00Z\"",
            "\"1969-12-31T23:59:59Z\"",
            "\"\"",
            "\"yesterday\"",
            "0",
            "12",
            "-5",
            "1e400",
            "null",
            "[1]",
            "99999999999999999999999999",
        ] {
            assert_eq!(us(json), None, "{json}");
        }
    }
}
