"""Checks a guide's code in C, Go and Ruby: each must open an old cookie and write it in the new format."""

import os
import subprocess
import textwrap
import time

from originals import commit, cookie_of, open_session
from pages import root

C = '''
#include <khufu.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *why) {
    fprintf(stderr, "%s\\n", why);
    return 1;
}

int main(void) {
    @NAMES@
    khufu_options *options = khufu_options_new();
    khufu_factory *factory = NULL;
    khufu_session *session = NULL;
    const char *name, *value;
    size_t name_length, length;
    @CODE@
    if (khufu_factory_new(options, &factory) != KHUFU_OK) return fail(khufu_options_error(options));
    if (khufu_session_open(factory, getenv("HTTP_COOKIE"), KHUFU_NTS, &session) != KHUFU_OK)
        return fail(khufu_session_error(session));
    puts(khufu_load_result_name(khufu_session_load_result(session)));
    if (khufu_session_commit(session, 0) != KHUFU_OK) return fail(khufu_session_error(session));
    if (khufu_session_header(session, 0, &name, &name_length, &value, &length) != KHUFU_OK) return fail("no cookie");
    printf("%.*s\\n", (int)length, value); /* Set-Cookie comes first */
    khufu_session_free(session);
    khufu_factory_free(factory);
    khufu_options_free(options);
    return 0;
}
'''

GO = '''
package main

import (
	"fmt"
	"os"
	"strings"

	khufu "github.com/khufu/khufu/bindings/go"
)

func main() {
	@NAMES@
	factory, err := khufu.NewFactory(@CODE@)
	if err != nil {
		panic(err)
	}
	session, err := factory.Open(os.Getenv("HTTP_COOKIE"))
	if err != nil {
		panic(err)
	}
	header, err := session.Commit()
	if err != nil {
		panic(err)
	}
	fmt.Println(session.LoadResult())
	fmt.Println(strings.Join(header["Set-Cookie"], "\\n"))
}
'''

RUBY = '''
require "khufu"
@NAMES@
session = (@CODE@).open(ENV.fetch("HTTP_COOKIE"))
puts session.load_result
session.commit.each { |name, value| puts value if name == "Set-Cookie" }
'''


def written(folder, name, template, code, names):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(template.replace('@NAMES@', names).replace('@CODE@', code.strip()))
    return folder / name


def camel(name):
    first, *others = name.split('_')
    return first + ''.join(map(str.title, others))


def call(command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def go_module(folder):
    """Makes a Go module that uses this checkout's package."""
    (folder / 'go.mod').write_text(textwrap.dedent(f'''\
        module example.com/guide

        go 1.24

        require github.com/khufu/khufu/bindings/go v0.0.0

        replace github.com/khufu/khufu/bindings/go => {root}/bindings/go
    '''))


def check(page, secrets, before, after, load_result, report, working):
    """Checks the page's code. `secrets` has the names in the C and Ruby code. The Go code has them in camelCase."""
    c, go, ruby = page.take('c', 'go', 'ruby')
    folder = working / page.path.stem
    names = ' '.join(f'const char *{name} = getenv("{name}");' for name in secrets)
    source = written(folder / 'c', 'guide.c', C, c.text, names)
    flags = call(['pkg-config', '--cflags', '--libs', 'khufu']).split()
    call(['cc', '-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', source, '-o', folder / 'c/guide', *flags])

    names = '; '.join(f'{camel(name)} := os.Getenv("{name}")' for name in secrets)
    written(folder / 'go', 'guide.go', GO, go.text, names)
    go_module(folder / 'go')
    call(['go', 'build', '-o', 'guide', '.'], cwd=folder / 'go')

    names = '; '.join(f'{name} = ENV.fetch("{name}")' for name in secrets)
    written(folder / 'ruby', 'guide.rb', RUBY, ruby.text, names)

    session = open_session(before.session_factory, time.time())
    session['user'] = 'ada'
    [old] = commit(session)
    environment = {**os.environ, **secrets, 'HTTP_COOKIE': cookie_of(old)}
    for command in [[folder / 'c/guide'], [folder / 'go/guide'],
                    ['ruby', '-w', '-I', root / 'bindings/ruby/lib', folder / 'ruby/guide.rb']]:
        result, *set_cookies = call(command, env=environment).splitlines()
        users = [open_session(after.session_factory, time.time(), cookie_of(new)).get('user') for new in set_cookies]
        report.check(f'{page.name}: the code opens an old cookie and writes a new one ({command[-1].name})',
                     [result, users], [load_result, ['ada']])
