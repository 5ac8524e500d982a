//! Values compared, as Pyramid compares flash messages: 1 equals 1.0, the order of an object's keys is ignored.

use crate::json::{self, Scanner};

/// A JSON value, its text having been checked, to be compared as Python's `==` has it (so `true` equals 1).
pub(crate) struct Tree<'a>(Vec<Node<'a>>);

/// A value; its parts are named by their places.
enum Node<'a> {
    Scalar(&'a str),
    List(Vec<usize>),
    /// Keys and values by turns, in the order of the keys; of a key that stands twice, the last.
    Object(Vec<usize>),
}

impl<'a> Tree<'a> {
    /// Each value stands behind its parts: the whole is the last.
    pub fn of(value: &'a str) -> Self {
        let mut nodes = Vec::new();
        let mut open: Vec<Vec<usize>> = Vec::new();
        let mut scanner = Scanner::lenient(value);
        while scanner.at < value.len() {
            let start = scanner.at;
            let byte = scanner.peek();
            scanner.at += 1;
            let node = match byte {
                b'[' | b'{' => {
                    open.push(Vec::new());
                    continue;
                }
                b']' => Node::List(open.pop().unwrap_or_default()),
                b'}' => Node::Object(by_key(&nodes, &open.pop().unwrap_or_default())),
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => continue,
                _ => {
                    scanner.at = start;
                    scanner.value().expect("the text has been checked");
                    Node::Scalar(&value[start..scanner.at])
                }
            };
            if let Some(parts) = open.last_mut() {
                parts.push(nodes.len());
            }
            nodes.push(node);
        }
        Self(nodes)
    }
}

impl PartialEq for Tree<'_> {
    fn eq(&self, other: &Self) -> bool {
        let mut pairs = vec![(self.0.len() - 1, other.0.len() - 1)];
        while let Some((one, another)) = pairs.pop() {
            let same = match (&self.0[one], &other.0[another]) {
                (Node::Scalar(one), Node::Scalar(other)) => same_scalar(one, other),
                (Node::List(ones), Node::List(others)) | (Node::Object(ones), Node::Object(others)) => {
                    pairs.extend(ones.iter().copied().zip(others.iter().copied()));
                    ones.len() == others.len()
                }
                _ => false,
            };
            if !same {
                return false;
            }
        }
        true
    }
}

fn by_key(nodes: &[Node<'_>], members: &[usize]) -> Vec<usize> {
    let key = |member: &[usize; 2]| match nodes[member[0]] {
        Node::Scalar(key) => json::code_points(inside(key)),
        _ => unreachable!("a key is a string"),
    };
    let mut members = members.as_chunks::<2>().0.to_vec();
    members.reverse();
    members.sort_by(|one, other| key(one).cmp(key(other)));
    members.dedup_by(|earlier, last| key(earlier).eq(key(last)));
    members.into_flattened()
}

fn inside(string: &str) -> &str {
    &string[1..string.len() - 1]
}

fn same_scalar(one: &str, other: &str) -> bool {
    if one.starts_with('"') && other.starts_with('"') {
        return json::code_points(inside(one)).eq(json::code_points(inside(other)));
    }
    match (Decimal::of(one), Decimal::of(other)) {
        (Some(one), Some(other)) => one.equals(&other),
        _ => one == other,
    }
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
    use super::Tree;

    fn equal(one: &str, other: &str) -> bool {
        Tree::of(one) == Tree::of(other)
    }

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
