//! Compares values as Python's `==` does, by means of a canonical form: 1 equals 1.0 and `true`, and the order of an
//! object's keys does not matter.

use std::fmt::Write;

use zeroize::Zeroizing;

use crate::json::{self, Scanner};
use crate::sys::wiped::WipedBytes;

/// The canonical form of a value whose JSON has been checked. Two values have the same form if and only if they are
/// equal in Python.
///
/// Integers of any length are compared exactly. Floats are compared as the doubles that Python reads. NaN equals
/// itself, because Python's `in` finds it by its identity.
pub(crate) fn canonical(json: &str) -> WipedBytes {
    let mut out = WipedBytes::with_capacity(json.len() + 16);
    match json.as_bytes().first() {
        Some(b'[' | b'{') => Tree::of(json).write(&mut out),
        _ => scalar(json, &mut out),
    }
    out
}

/// A value. Its parts are indexes into [`Tree`].
enum Node<'a> {
    Scalar(&'a str),
    List(Vec<usize>),
    /// Alternating keys and values, ordered by key. Of a duplicate key only the last value is included.
    Object(Vec<usize>),
}

/// The nodes of a value. Each node comes after its parts, so the last node is the whole value.
struct Tree<'a>(Vec<Node<'a>>);

impl<'a> Tree<'a> {
    fn of(value: &'a str) -> Self {
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

    fn write(&self, out: &mut WipedBytes) {
        // A closing bracket is written after the parts of its value.
        enum Step {
            Value(usize),
            Close(u8),
        }
        let mut next = vec![Step::Value(self.0.len() - 1)];
        while let Some(step) = next.pop() {
            let (brackets, parts) = match step {
                Step::Close(bracket) => {
                    out.add(&[bracket]);
                    continue;
                }
                Step::Value(index) => match &self.0[index] {
                    Node::Scalar(json) => {
                        scalar(json, out);
                        continue;
                    }
                    Node::List(parts) => (b"[]", parts),
                    Node::Object(parts) => (b"{}", parts),
                },
            };
            out.add(&brackets[..1]);
            next.push(Step::Close(brackets[1]));
            next.extend(parts.iter().rev().map(|part| Step::Value(*part)));
        }
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

/// The byte that ends a scalar. UTF-8 does not use it.
const END: u8 = 0xff;

fn scalar(json: &str, out: &mut WipedBytes) {
    match json.as_bytes()[0] {
        b'"' => {
            out.add(b"\"");
            json::push_characters(inside(json), out);
        }
        b't' => out.add(b"1"),
        b'f' => out.add(b"0"),
        b'-' | b'0'..=b'9' if json != "-Infinity" => number(json, out),
        // The value is null, NaN or an infinity.
        _ => out.add(json.as_bytes()),
    }
    out.add(&[END]);
}

/// Appends all digits of a whole number, and the shortest digits of another float.
fn number(json: &str, out: &mut WipedBytes) {
    if !json.contains(['.', 'e', 'E']) {
        return out.add(if json == "-0" { b"0" } else { json.as_bytes() });
    }
    let float: f64 = json.parse().unwrap_or(f64::NAN);
    // This is enough room for all digits of the largest double, so the text is not reallocated.
    let mut text = Zeroizing::new(String::with_capacity(400));
    // Writing to a text cannot fail.
    let _ = match float {
        f64::INFINITY => write!(text, "Infinity"),
        f64::NEG_INFINITY => write!(text, "-Infinity"),
        0.0 => write!(text, "0"),
        _ if float.fract() == 0.0 => write!(text, "{float:.0}"),
        _ => write!(text, "{float:e}"),
    };
    out.add(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::canonical;

    fn equal(one: &str, other: &str) -> bool {
        canonical(one) == canonical(other)
    }

    #[test]
    fn the_same_values_are_equal_as_in_cpython() {
        let vectors = include_str!("../../tests/vectors/python_values.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let groups: Vec<Vec<String>> = vectors["equal"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group.as_array().unwrap().iter().map(text).collect())
            .collect();
        assert!(groups.len() > 100 && groups.iter().filter(|group| group.len() > 1).count() > 30);
        let forms: Vec<_> = groups.iter().map(|group| canonical(&group[0])).collect();
        for (number, group) in groups.iter().enumerate() {
            for text in group {
                let form = canonical(text);
                let equal: Vec<usize> = (0..forms.len()).filter(|other| forms[*other] == form).collect();
                assert_eq!(
                    equal,
                    [number],
                    "{text} and {:?}",
                    equal.iter().map(|other| &groups[*other][0]).collect::<Vec<_>>()
                );
            }
        }
    }

    #[test]
    fn values_equal_as_in_python() {
        for (one, other) in [
            ("1", "1.0"),
            ("1", "true"),
            ("0", "-0.0"),
            ("-0", "0e999999999999999999999"),
            ("100", "1e2"),
            ("0.001", "1E-3"),
            ("12.50", "1250e-2"),
            ("0.00", "false"),
            ("0.1", "0.10000000000000000555"),
            ("1e-400", "0"),
            ("1e400", "1e401"),
            ("1e400", "Infinity"),
            ("-1e400", "-Infinity"),
            ("1180591620717411303424", "1.1805916207174113e21"),
            ("9007199254740993.0", "9007199254740992"),
            ("\"\\u00e9\"", "\"é\""),
            ("\"\\ud83d\\udd11\"", "\"🔑\""),
            ("{\"a\":1,\"b\":[2]}", "{ \"b\" : [ 2.0 ], \"a\" : 1 }"),
            ("{\"a\":1,\"a\":2}", "{\"a\":2}"),
            ("[]", "[ ]"),
            ("null", "null"),
            ("[NaN]", "[NaN]"),
        ] {
            assert!(equal(one, other), "{one} and {other}");
        }
        let digits = format!("{:.0}", f64::MAX);
        assert!(equal(&digits, "1.7976931348623157e308") && equal(&format!("-{digits}"), "-1.7976931348623157e308"));
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
            ("[1,2]", "[12]"),
            ("[[],[]]", "[[[]]]"),
            ("[\"a\",\"b\"]", "[\"ab\"]"),
            ("{\"a\":1}", "{\"b\":1}"),
            ("{}", "[]"),
            ("null", "false"),
            ("null", "\"null\""),
            ("\"\\ud800\"", "\"\u{fffd}\""),
            ("\"\\ud83d\"", "\"\\udd11\""),
            ("1180591620717411303424", "1180591620717411303425"),
            ("1180591620717411303425", "1.1805916207174113e21"),
            ("9007199254740993", "9007199254740992.0"),
            ("1e400", "-1e400"),
            ("0.1", "0.1000000000000000124900090270330610871315"),
        ] {
            assert!(!equal(one, other), "{one} and {other}");
        }
        let digits = "9".repeat(400);
        assert!(!equal(&digits, "1e400") && !equal(&digits, &format!("{digits}9")));
    }
}
