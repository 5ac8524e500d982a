"""docs/operations.md: systemd accepts its unit, its container file makes a container that serves, and its table has
every load result that refuses a cookie."""

import collections
import json
import os
import re
import secrets
import shutil
import subprocess
import sys

from examples import free_port, serving
from khufu.pyramid import SessionFactory
from originals import cookie_of
from pages import root
from peer import target
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from redis_server import redis_server


def check(page, pages, report, servers, working):
    unit, shop, container, run, counting = page.take('ini', 'python', 'dockerfile', 'sh', 'python')
    check_unit(page, unit, report, working)
    with redis_server() as redis:
        check_container(shop, container, run, redis, report, working / 'container')
    check_counting(counting, report)

    def results(table):
        return {row[0].strip('`') for row in table}

    all_results, refused = pages['docs/formats.md'].table('load result'), page.table('load result')
    report.check('docs/operations.md: its table has each load result of a session that is empty', results(refused),
                 {result for result in results(all_results) if not result.startswith('loaded')})


def check_unit(page, block, report, working):
    file = working / 'shop.service'
    file.write_text(re.sub(r'/usr/local/bin/\w+', '/bin/true', block.text))
    done = subprocess.run(['systemd-analyze', 'verify', file], capture_output=True, text=True)
    report.check('docs/operations.md: systemd accepts the unit', (done.returncode, done.stderr), (0, ''))
    credential = re.search(r'^LoadCredential=(.*?):', block.text, re.M)[1]
    report.check('docs/operations.md: the text names the unit\'s credential', f'the file `{credential}`' in page.text)
    [arguments] = re.findall(r'/khufu (check .*)', block.text)
    (working / 'session-secret').write_text(secrets.token_hex(64))
    (working / 'shop.ini').write_text('type = store\nstore = redis://localhost\nsecure = true\nhttponly = true\n')
    arguments = arguments.replace('%d', str(working)).replace('/etc/shop', str(working)).split()
    done = subprocess.run([target / 'debug/khufu', *arguments], capture_output=True, text=True)
    report.check('docs/operations.md: the unit checks the configuration', (done.returncode, done.stderr), (0, ''))


def check_container(shop, container, run, redis, report, folder):
    """Runs the instructions of the container file in a folder, with a new Python environment as its image."""
    image, context = folder / 'image', folder / 'context'
    context.mkdir(parents=True)
    port = free_port()
    (context / 'shop.py').write_text(shop.text.replace('8080', str(port)))
    (context / 'requirements.txt').write_text('pyramid\nwaitress\n')
    [wheel] = (target / 'wheels').glob('khufu-*.whl')
    shutil.copy(wheel, context)
    pins = re.findall(r'^\S+==.*$', (root / 'scripts/requirements-python.txt').read_text(), re.M)
    (folder / 'pins').write_text('\n'.join(pins))
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', image], check=True)
    (image / 'bin/pip').write_text(f'#!/bin/sh\nexec {sys.executable} -m pip --python {image}/bin/python "$@"\n')
    (image / 'bin/pip').chmod(0o755)
    environment = {'PATH': f'{image}/bin:{os.environ["PATH"]}', 'PIP_CONSTRAINT': str(folder / 'pins'),
                   'PIP_DISABLE_PIP_VERSION_CHECK': '1'}
    inside, settings, command = build(container, context, image, environment)
    [[secret, mounted]] = re.findall(r'--volume (\S+?):(\S+?):ro', run.text)
    report.check('docs/operations.md: the mounted secret is read', settings['SESSION_SECRET_FILE'], mounted)
    (folder / 'secret').write_text(secrets.token_hex(64) + '\n')
    [variable] = re.findall(r'--env (\w+)=', run.text)
    environment |= {'SESSION_SECRET_FILE': str(folder / 'secret'), variable: redis}
    with serving(command, port, cwd=inside, env=environment) as request:
        headers, first = request('')
        [set_cookie] = [value for name, value in headers if name == 'Set-Cookie']
        _, second = request(cookie_of(set_cookie))
    report.check('docs/operations.md: the container counts visits', [first, second], ['visit 1', 'visit 2'])
    report.check('docs/operations.md: its cookie is safe', set_cookie.split('; ')[1:],
                 ['Path=/', 'secure', 'HttpOnly', 'SameSite=Lax'])


def build(container, context, image, environment):
    """Runs the instructions that build an image. Returns its working folder, its variables and its command."""
    inside, settings, command = image, {}, None
    for line in container.text.splitlines():
        instruction, _, rest = line.partition(' ')
        if instruction == 'WORKDIR':
            inside = image / rest.lstrip('/')
            inside.mkdir()
        elif instruction == 'COPY':
            for file in [file for pattern in rest.split()[:-1] for file in context.glob(pattern)]:
                shutil.copy(file, inside)
        elif instruction == 'RUN':
            subprocess.run(['sh', '-ec', rest], cwd=inside, env=environment, check=True, capture_output=True)
        elif instruction == 'ENV':
            settings |= [rest.split('=', 1)]
        elif instruction == 'CMD':
            command = json.loads(rest)
    return inside, settings, command


def check_counting(block, report):
    config = Configurator(session_factory=SessionFactory('the secret of the site'))
    names = {'config': config}
    exec(compile(block.text, block.place, 'exec'), names)
    config.add_route('page', '/{page}')
    config.add_view(lambda request: Response(str(request.session.get('user'))), route_name='page', request_param='user')
    config.add_view(lambda request: Response(), route_name='page')
    application = config.make_wsgi_app()
    for path, cookie in [('/a?user', ''), ('/a?user', 'session=forged'), ('/a?user', 'session=forged'), ('/b', '')]:
        Request.blank(path, headers={'Cookie': cookie}).get_response(application)
    report.check('docs/operations.md: it counts the load results', names['load_results'],
                 collections.Counter(none=1, malformed=2))
