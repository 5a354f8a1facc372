//! Times as arguments and for people: `30d`, `2026-01-01`, `3 days ago`.

use std::str::FromStr;

use scrollback::chrono::{
    DateTime, Datelike as _, Days, Local, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, TimeZone,
    Utc, Weekday,
};

/// What a T may be, for the help of commands.
macro_rules! time_help {
    () => {
        "T is an age (90m, 12h, 30d, 2w, 1y), `today`, `yesterday` or a day (`monday`: the last one), a
date (2026-01-01, midnight UTC) or a time (2026-01-01T12:00:00Z)."
    };
}
pub(crate) use time_help;

/// The longest age that is accepted: ten thousand years, so that no date leaves what can be stored.
const AGE_DAYS_MAX: i64 = 10_000 * 365;

/// A point in time as it is written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeArgument {
    /// So long before now.
    Ago(TimeDelta),
    /// A time.
    At(DateTime<Utc>),
    /// The midnight, on the clock on the wall, that so many days ago began.
    Midnight(u64),
    /// The midnight that began the last such day, today counted.
    Day(Weekday),
}

/// The zone in which times are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// As files and programs have it.
    Utc,
    /// That of the clock on the wall.
    Local,
}

impl TimeArgument {
    /// The time that is meant at the time `now`.
    pub(crate) fn resolve(self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.resolve_in(&Local, now)
    }

    fn resolve_in<Z: TimeZone>(self, zone: &Z, now: DateTime<Utc>) -> DateTime<Utc> {
        let today = now.with_timezone(zone).date_naive();
        match self {
            Self::Midnight(days) => midnight(zone, today, days),
            Self::Day(day) => {
                let since = today.weekday().days_since(day);
                midnight(zone, today, u64::from(since))
            }
            Self::Ago(age) => now
                .checked_sub_signed(age)
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
            Self::At(time) => time,
        }
    }
}

impl FromStr for TimeArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "today" => return Ok(Self::Midnight(0)),
            "yesterday" => return Ok(Self::Midnight(1)),
            // The names of days, whole or by three letters.
            word => {
                if let Ok(day) = word.parse() {
                    return Ok(Self::Day(day));
                }
            }
        }
        if let Some(age) = parse_age(text) {
            return age.map(Self::Ago);
        }
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Ok(Self::At(date.and_time(NaiveTime::MIN).and_utc()));
        }
        DateTime::parse_from_rfc3339(text).map(|time| Self::At(time.to_utc())).map_err(|_| {
            "expected an age such as `30d` (m, h, d, w, y), `today`, `yesterday`, a day such as `monday`, a \
             date such as `2026-01-01`, or a time such as `2026-01-01T12:00:00Z`"
                .to_owned()
        })
    }
}

/// The midnight that began the day so many days before one. Where clocks are set and there is none, UTC's.
fn midnight<Z: TimeZone>(zone: &Z, today: NaiveDate, days: u64) -> DateTime<Utc> {
    let day = today.checked_sub_days(Days::new(days)).unwrap_or(today);
    let midnight = day.and_time(NaiveTime::MIN);
    let local = zone.from_local_datetime(&midnight).earliest();
    local.map_or_else(|| midnight.and_utc(), |time| time.to_utc())
}

/// The age that `text` spells, or `None` if it does not look like one.
fn parse_age(text: &str) -> Option<Result<TimeDelta, String>> {
    let unit = text.chars().last()?;
    let minutes: i64 = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        'y' => 365 * 24 * 60,
        _ => return None,
    };
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let minutes = digits
        .parse::<i64>()
        .ok()
        .and_then(|number| number.checked_mul(minutes));
    let age = minutes.filter(|minutes| *minutes <= AGE_DAYS_MAX * 24 * 60);
    Some(match age.and_then(TimeDelta::try_minutes) {
        Some(age) => Ok(age),
        None => Err("an age is at most 10,000 years".to_owned()),
    })
}

/// A time as JSON has it: RFC 3339 in UTC, with as many digits after the second as it has.
pub(crate) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A time for people, to the second. That of the clock on the wall has no zone.
pub(crate) fn stamp(time: DateTime<Utc>, zone: Zone) -> String {
    match zone {
        Zone::Utc => time.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Zone::Local => {
            let time = time.with_timezone(&Local);
            time.format("%Y-%m-%d %H:%M:%S").to_string()
        }
    }
}

/// How long ago `then` is, in one unit.
pub(crate) fn relative(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    const UNITS: [(i64, &str); 6] = [
        (365 * 86_400, "year"),
        (30 * 86_400, "month"),
        (7 * 86_400, "week"),
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
    ];
    let seconds = now.signed_duration_since(then).num_seconds();
    let distance = seconds.saturating_abs();
    // Weeks and months start at two, so that little is rounded away: one month can be almost two.
    let fits = |(unit, name): &&(i64, &str)| {
        let least = if matches!(*name, "week" | "month") {
            2
        } else {
            1
        };
        distance >= least * unit
    };
    let Some((unit, name)) = UNITS.iter().find(fits) else {
        return "just now".to_owned();
    };
    let number = distance / unit;
    let plural = if number == 1 { "" } else { "s" };
    if seconds < 0 {
        format!("in {number} {name}{plural}")
    } else {
        format!("{number} {name}{plural} ago")
    }
}

#[cfg(test)]
mod tests {
    use scrollback::chrono::FixedOffset;

    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn resolved(text: &str) -> Result<String, String> {
        let now = time("2026-06-01T12:00:00Z");
        text.parse::<TimeArgument>()
            .map(|argument| rfc3339(argument.resolve_in(&Utc, now)))
    }

    #[test]
    fn days_begin_at_midnight_on_the_clock_on_the_wall() {
        let east = FixedOffset::east_opt(9 * 3600).unwrap();
        // A Monday; in the east it is Tuesday already.
        let now = time("2026-06-01T16:00:00Z");
        for (word, in_utc, in_the_east) in [
            ("today", "2026-06-01T00:00:00Z", "2026-06-01T15:00:00Z"),
            ("Yesterday", "2026-05-31T00:00:00Z", "2026-05-31T15:00:00Z"),
            ("monday", "2026-06-01T00:00:00Z", "2026-05-31T15:00:00Z"),
            ("tue", "2026-05-26T00:00:00Z", "2026-06-01T15:00:00Z"),
        ] {
            let argument: TimeArgument = word.parse().unwrap();
            assert_eq!(rfc3339(argument.resolve_in(&Utc, now)), in_utc, "{word}");
            assert_eq!(
                rfc3339(argument.resolve_in(&east, now)),
                in_the_east,
                "{word}"
            );
        }
    }

    #[test]
    fn ages_dates_and_times_are_understood() {
        for (text, expected) in [
            ("90m", "2026-06-01T10:30:00Z"),
            ("12h", "2026-06-01T00:00:00Z"),
            ("30d", "2026-05-02T12:00:00Z"),
            ("2w", "2026-05-18T12:00:00Z"),
            ("1y", "2025-06-01T12:00:00Z"),
            ("0d", "2026-06-01T12:00:00Z"),
            ("2026-01-01", "2026-01-01T00:00:00Z"),
            ("2026-01-01T10:00:00+02:00", "2026-01-01T08:00:00Z"),
            ("2026-01-01T10:00:00.5Z", "2026-01-01T10:00:00.500Z"),
        ] {
            assert_eq!(resolved(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "d",
            "-1d",
            "+1d",
            "1.5d",
            "30",
            "2026-13-01",
            "2026-01-01T10:00",
            "tomorrow",
            "1é",
        ] {
            assert!(resolved(text).is_err(), "{text}");
        }
        assert!(
            resolved("99999999999999999999d")
                .unwrap_err()
                .contains("10,000 years")
        );
        assert!(resolved("10000y").is_ok());
        assert!(resolved("10001y").is_err());
    }

    #[test]
    fn distances_are_told_in_one_unit() {
        let now = time("2026-06-01T12:00:00Z");
        for (then, expected) in [
            ("2026-06-01T11:59:30Z", "just now"),
            ("2026-06-01T11:59:00Z", "1 minute ago"),
            ("2026-06-01T10:00:00Z", "2 hours ago"),
            ("2026-05-30T12:00:00Z", "2 days ago"),
            ("2026-05-20T12:00:00Z", "12 days ago"),
            ("2026-05-17T12:00:00Z", "2 weeks ago"),
            ("2026-04-03T12:00:00Z", "8 weeks ago"),
            ("2026-03-01T12:00:00Z", "3 months ago"),
            ("2024-01-01T12:00:00Z", "2 years ago"),
            ("2026-06-01T15:00:00Z", "in 3 hours"),
        ] {
            assert_eq!(relative(time(then), now), expected, "{then}");
        }
    }

    #[test]
    fn the_ends_of_time_do_no_harm() {
        let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert!(relative(first, last).ends_with("years ago"));
        assert!(relative(last, first).starts_with("in "));
        assert!(!rfc3339(first).is_empty() && !stamp(last, Zone::Utc).is_empty());
    }
}
