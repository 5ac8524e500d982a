"""The demo's Pyramid application, which logs users in and out. README.md says what every server does.

With sessions in a cookie, it uses Pyramid's own session factory, without khufu. With a store it uses khufu's.
"""

import argparse
import json
import os
from html import escape

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPBadRequest, HTTPException, HTTPSeeOther
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory
from pyramid.view import exception_view_config, view_config
from waitress.server import create_server

from pyramid_html import form, messages

STORE = os.environ.get('KHUFU_STORE')


@view_config(route_name='home')
def home(request):
    body = ('<h1>One shop, five languages</h1>\n' + messages(request) +
            '<p>Python, Go, Ruby, C and C++ each answer for a part of this shop. All of them read and change the same '
            'session.</p>\n')
    if user := request.session.get('user'):
        body += f'<p>You are logged in as <strong>{escape(user)}</strong>. <a href="/shop">Go to the shop</a></p>\n'
        return Response(body + form(request, '/logout', '<button>Log out</button>'))
    field = '<label>Name <input name="user" required maxlength="40" autocomplete="username"></label>\n'
    return Response(body + form(request, '/login', field + '<button>Log in</button>'))


@view_config(route_name='session', renderer='json')
def session_view(request):
    session = request.session
    return {
        'server': 'pyramid',
        'load_result': session.load_result if STORE else 'none' if session.new else 'loaded',
        'csrf_token': session.get_csrf_token(),
        'state': json.loads(json.dumps(dict(session))),
        'flash': session.peek_flash(),
    }


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


@exception_view_config(HTTPException)
def refuse(error, request):
    text = 'There is no such page.' if error.code == 404 else error.detail or error.explanation
    return Response(f'{text}\n', status=error.status, content_type='text/plain', charset='utf-8')


def private(event):
    event.response.vary = ['Cookie']
    event.response.cache_control = 'private'


def application(secret, previous_secret):
    with Configurator() as config:
        if STORE:
            import khufu.pyramid
            config.set_session_factory(khufu.pyramid.SessionFactory(
                secret, previous_secret=previous_secret, httponly=True, type='store', store=STORE))
            config.include('pyramid_devices')
        else:
            config.set_session_factory(SignedCookieSessionFactory(secret, httponly=True))
            config.add_subscriber(private, 'pyramid.events.NewResponse')
        config.set_default_csrf_options(require_csrf=True)
        for name, path in [('home', '/'), ('session', '/session'), ('login', '/login'), ('logout', '/logout')]:
            config.add_route(name, path)
        config.scan('__main__')
        return config.make_wsgi_app()


if __name__ == '__main__':
    arguments = argparse.ArgumentParser()
    arguments.add_argument('--port', type=int, required=True)
    server = create_server(application(os.environ['KHUFU_SECRET'], os.environ.get('KHUFU_PREVIOUS_SECRET') or None),
                           host='127.0.0.1', port=arguments.parse_args().port)
    print(f'listening on 127.0.0.1:{server.effective_port}', flush=True)
    server.run()
