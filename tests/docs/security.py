"""Checks that the command in docs/security.md makes a secret."""

from rotate import check_secret


def check(page, pages, report, servers, working):
    check_secret(page.take('sh'), 128, report)
