//! Times for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The first second that has no date in HTTP's format.
const YEAR_10000: f64 = 253_402_300_800.0;

/// A time in seconds since the Unix epoch, with its age, for example `Thu, 26 Nov 2026 07:08:12 GMT, 3 h 20 min ago`.
pub fn described(seconds: f64) -> String {
    if !(0.0..YEAR_10000).contains(&seconds) {
        return format!("{seconds} seconds since 1970");
    }
    let time = UNIX_EPOCH + Duration::from_secs_f64(seconds);
    let date = httpdate::fmt_http_date(time);
    match SystemTime::now().duration_since(time) {
        Ok(age) => format!("{date}, {} ago", duration(age.as_secs())),
        Err(ahead) => format!("{date}, in {}", duration(ahead.duration().as_secs())),
    }
}

/// A number of seconds in its two largest units, for example `3 h 20 min`.
fn duration(seconds: u64) -> String {
    let units = [("d", 86_400, u64::MAX), ("h", 3600, 24), ("min", 60, 60), ("s", 1, 60)];
    let parts = units.map(|(name, length, most)| (name, seconds / length % most));
    let first = parts.iter().position(|(_, count)| *count > 0).unwrap_or(parts.len() - 1);
    let shown = parts[first..].iter().take(2).filter(|(_, count)| *count > 0 || seconds == 0);
    shown.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_time_that_has_no_date_is_a_number() {
        assert!(super::described(0.0).starts_with("Thu, 01 Jan 1970 00:00:00 GMT, "));
        for (seconds, expected) in [(1e12, "1000000000000"), (-1.0, "-1"), (1e300, "1000000"), (f64::NAN, "NaN")] {
            let described = super::described(seconds);
            assert!(described.starts_with(expected) && described.ends_with(" seconds since 1970"), "{described}");
        }
    }

    #[test]
    fn a_duration_has_its_two_largest_units() {
        for (seconds, expected) in
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3725, "1 h 2 min"), (86_400 * 400 + 5, "400 d")]
        {
            assert_eq!(super::duration(seconds), expected);
        }
    }
}
