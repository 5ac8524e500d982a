"""Checks docs/moving/: the defaults and calls in the tables, and the code, with the library that a site moves from."""

import re

import moving_programs
import moving_python

CHECKS = {
    'pyramid': moving_python.check_pyramid,
    'pyramid_session_redis': moving_python.check_pyramid_session_redis,
    'beaker': moving_python.check_beaker,
    'rack-session': moving_programs.check_rack_session,
    'gorilla': moving_programs.check_gorilla,
    'scs': moving_programs.check_scs,
}


def check_settings(page, pages, theirs, ours, report):
    """Checks the defaults in the page's table of settings. `theirs` has those of the library, and `ours` those of khufu
    that are not in docs/options.md."""
    ours = {row[0].split('`')[1]: row[2] for row in pages['docs/options.md'].table('option')} | ours
    for setting, default, option, our_default in page.table('setting'):
        [setting] = re.findall(r'`(.+)`', setting)
        options = [name for name in re.findall(r'`(.+?)`', option) if name in ours]
        report.check(f'{page.name}: the default of {setting}', default.strip('`'), theirs[setting])
        wanted = ', '.join(ours[name].strip('`') for name in options)
        report.check(f'{page.name}: khufu\'s default for {setting}', our_default.replace('`', ''), wanted)


def check(page, pages, report, servers, working):
    theirs, ours = CHECKS[page.path.stem](page, report, working)
    check_settings(page, pages, theirs, ours, report)
