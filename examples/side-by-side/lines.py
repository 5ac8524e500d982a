"""Counts the lines of programs, without empty lines, comments and imports."""

import re

IGNORED = {
    'Go': r'package \w+|import \([^)]*\)|//.*',
    'Ruby': r'require(_relative)? .*|#.*',
    'Rust': r'use [^;]*;|//.*',
}
SESSION = re.compile('session|khufu|cookie|store|csrf|flash', re.IGNORECASE)


def count(language, text):
    """Returns how many lines a program has, and how many of them name the session or a part of its library."""
    text = re.sub(rf'^[ \t]*(?:{IGNORED[language]})$', '', text, flags=re.MULTILINE)
    lines = [line for line in text.splitlines() if line.strip()]
    return len(lines), len([line for line in lines if SESSION.search(line)])
