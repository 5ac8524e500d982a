//! Values compared, as Pyramid compares flash messages: 1 equals 1.0, the order of an object's keys is ignored.

use crate::json::{self, Scanner};

/// Whether two JSON values, whose texts have been checked, are equal as Python's `==` has it (so `true` equals 1).
pub(crate) fn equal(one: &str, other: &str) -> bool {
    let mut pairs = vec![(one.trim_ascii(), other.trim_ascii())];
    while let Some((one, other)) = pairs.pop() {
        let same = match (one.as_bytes()[0], other.as_bytes()[0]) {
            (b'"', b'"') => json::code_points(inside(one)).eq(json::code_points(inside(other))),
            (b'[', b'[') => {
                let (ones, others): (Vec<_>, Vec<_>) = (json::elements(one).collect(), json::elements(other).collect());
                let same_length = ones.len() == others.len();
                pairs.extend(ones.into_iter().zip(others));
                same_length
            }
            (b'{', b'{') => match matching_members(one, other) {
                Some(matched) => {
                    pairs.extend(matched);
                    true
                }
                None => false,
            },
            _ => match (Decimal::of(one), Decimal::of(other)) {
                (Some(one), Some(other)) => one.equals(&other),
                _ => one == other,
            },
        };
        if !same {
            return false;
        }
    }
    true
}

fn inside(string: &str) -> &str {
    &string[1..string.len() - 1]
}

/// Key and value of each member; of a key that stands twice, the last.
fn members(object: &str) -> Vec<(&str, &str)> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    let _ = json::members(&mut Scanner::lenient(object), |key, start, end, _| {
        let key = &object[key.start..key.end];
        found.retain(|(earlier, _)| !json::code_points(earlier).eq(json::code_points(key)));
        found.push((key, &object[start..end]));
    });
    found
}

/// The pairs of values that must be equal for the objects to be; `None` where their keys differ.
fn matching_members<'a>(one: &'a str, other: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (ones, others) = (members(one), members(other));
    if ones.len() != others.len() {
        return None;
    }
    ones.iter()
        .map(|(key, value)| {
            let (_, found) = others.iter().find(|(k, _)| json::code_points(k).eq(json::code_points(key)))?;
            Some((*value, *found))
        })
        .collect()
}

/// A number as 0.DIGITS × 10^exponent, without zeros at either end of its digits.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Decimal<'a> {
    fn of(scalar: &'a str) -> Option<Self> {
        let scalar = match scalar {
            "true" => "1",
            "false" => "0",
            _ => scalar,
        };
        let (negative, unsigned) = match scalar.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, scalar),
        };
        if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let (digits, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let far = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
        let mut number = Self {
            negative,
            whole: whole.trim_start_matches('0'),
            fraction: fraction.trim_end_matches('0'),
            exponent: exponent.parse().unwrap_or(far).clamp(i64::MIN / 2, i64::MAX / 2),
        };
        if number.fraction.is_empty() {
            let significant = number.whole.trim_end_matches('0');
            number.exponent += number.whole.len() as i64;
            number.whole = significant;
        } else if number.whole.is_empty() {
            let significant = number.fraction.trim_start_matches('0');
            number.exponent -= (number.fraction.len() - significant.len()) as i64;
            number.fraction = significant;
        } else {
            number.exponent += number.whole.len() as i64;
        }
        Some(number)
    }

    fn equals(&self, other: &Self) -> bool {
        let digits = |number: &Self| number.whole.len() + number.fraction.len();
        if digits(self) == 0 || digits(other) == 0 {
            return digits(self) == digits(other);
        }
        self.negative == other.negative
            && self.exponent == other.exponent
            && self.whole.bytes().chain(self.fraction.bytes()).eq(other.whole.bytes().chain(other.fraction.bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn values_equal_as_in_python() {
        for (one, other) in [
            ("1", "1.0"),
            ("1", "true"),
            ("0", "-0.0"),
            ("100", "1e2"),
            ("0.001", "1E-3"),
            ("12.50", "1250e-2"),
            ("0.00", "false"),
            ("\"\\u00e9\"", "\"é\""),
            ("\"\\ud83d\\udd11\"", "\"🔑\""),
            ("{\"a\":1,\"b\":[2]}", "{ \"b\" : [ 2.0 ], \"a\" : 1 }"),
            ("{\"a\":1,\"a\":2}", "{\"a\":2}"),
            ("[]", "[ ]"),
            ("null", "null"),
        ] {
            assert!(equal(one, other), "{one} and {other}");
            assert!(equal(other, one), "{other} and {one}");
        }
    }

    #[test]
    fn values_that_differ() {
        for (one, other) in [
            ("1", "\"1\""),
            ("1", "-1"),
            ("1", "10"),
            ("1", "0.1"),
            ("[1]", "[1,2]"),
            ("[1,2]", "[2,1]"),
            ("{\"a\":1}", "{\"b\":1}"),
            ("null", "false"),
            ("\"\\ud800\"", "\"\u{fffd}\""),
            ("1180591620717411303424", "1180591620717411303425"),
        ] {
            assert!(!equal(one, other), "{one} and {other}");
        }
    }
}
