"""The demo's Pyramid application, which logs users in and out. README.md says what every server does.

With sessions in a cookie, it uses Pyramid's own session factory, without khufu. With a store it uses khufu's.
"""

import argparse
import json
import os
from html import escape

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPBadRequest, HTTPSeeOther
from pyramid.interfaces import ISessionFactory
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory
from pyramid.view import view_config
from waitress.server import create_server

STORE = os.environ.get('KHUFU_STORE')
PAGE = '''<!doctype html>
<meta charset="utf-8"><title>pyramid</title>
<h1>pyramid</h1>
<nav>{links}</nav>
{messages}
<form method="post" action="/login">
<input type="hidden" name="csrf_token" value="{csrf_token}">
<label>User <input name="user" value="ada" required maxlength="40"></label> <button>Log in</button>
</form>
<form method="post" action="/logout">
<input type="hidden" name="csrf_token" value="{csrf_token}"> <button>Log out</button>
{everywhere}
</form>
<pre>{state}</pre>
'''


def look(request):
    """Returns the answer to `GET /session`, and pops the messages."""
    session = request.session
    return {
        'server': 'pyramid',
        'load_result': session.load_result if STORE else 'none' if session.new else 'loaded',
        'csrf_token': session.get_csrf_token(),
        'state': json.loads(json.dumps(dict(session))),  # a copy, taken before the messages are popped
        'flash': session.pop_flash(),
    }


@view_config(route_name='session', renderer='json')
def session_view(request):
    return look(request)


@view_config(route_name='home')
def home(request):
    seen = look(request)
    peers = dict(peer.split('=') for peer in os.environ.get('KHUFU_PEERS', '').split(',') if peer)
    return Response(PAGE.format(
        links=' '.join(f'<a href="http://127.0.0.1:{int(port)}/">{escape(name)}</a>'
                       for name, port in peers.items() if name != 'pyramid'),
        everywhere='<button formaction="/logout/everywhere">Log out everywhere</button>' if STORE else '',
        messages=''.join(f'<p>{escape(str(message))}</p>' for message in seen['flash']),
        csrf_token=escape(seen['csrf_token']),
        state=escape(json.dumps(seen['state'], indent=2, ensure_ascii=False)),
    ))


@view_config(route_name='login', request_method='POST')
def login(request):
    user = request.POST.get('user', '')
    if not 0 < len(user) <= 40:
        raise HTTPBadRequest('user: must have 1 to 40 characters')
    request.session.invalidate()
    request.session['user'] = user
    if STORE:
        request.session.subject = user
    return HTTPSeeOther('/')


@view_config(route_name='logout', request_method='POST')
def logout(request):
    request.session.invalidate()
    return HTTPSeeOther('/')


def logout_everywhere(request):
    """Ends all sessions of the user, wherever they logged in."""
    if user := request.session.get('user'):
        request.registry.getUtility(ISessionFactory).subject(user).revoke_all()
    return logout(request)


def private(event):
    event.response.vary = ['Cookie']
    event.response.cache_control = 'private'


def application(secret):
    with Configurator() as config:
        if STORE:
            import khufu.pyramid
            config.set_session_factory(khufu.pyramid.SessionFactory(secret, httponly=True, type='store', store=STORE))
            config.add_route('logout_everywhere', '/logout/everywhere')
            config.add_view(logout_everywhere, route_name='logout_everywhere', request_method='POST')
        else:
            config.set_session_factory(SignedCookieSessionFactory(secret, httponly=True))
            config.add_subscriber(private, 'pyramid.events.NewResponse')
        config.set_default_csrf_options(require_csrf=True)
        config.add_route('home', '/')
        config.add_route('session', '/session')
        config.add_route('login', '/login')
        config.add_route('logout', '/logout')
        config.scan()
        return config.make_wsgi_app()


if __name__ == '__main__':
    arguments = argparse.ArgumentParser()
    arguments.add_argument('--port', type=int, required=True)
    server = create_server(application(os.environ['KHUFU_SECRET']), host='127.0.0.1', port=arguments.parse_args().port)
    print(f'listening on 127.0.0.1:{server.effective_port}', flush=True)
    server.run()
