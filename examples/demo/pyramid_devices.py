"""The pages of the Pyramid application that need a store: the sessions of a user, and how to end them."""

import time

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.interfaces import ISessionFactory
from pyramid.response import Response
from pyramid.view import view_config

from pyramid_html import form, messages


def subject(request):
    """Returns the user's sessions, or None if nobody is logged in."""
    user = request.session.get('user')
    return user and request.registry.getUtility(ISessionFactory).subject(user)


def ago(seconds):
    minutes = int(time.time() - seconds) // 60
    return 'just now' if minutes == 0 else f'{minutes} min ago'


def row(request, device):
    """Returns the HTML of one of the user's sessions, with a button to end it."""
    if device.id == request.session.id:
        name, button = 'This browser', ''
    else:
        inputs = f'<input type="hidden" name="id" value="{device.id}"><button>Log out</button>'
        name, button = 'Another browser', form(request, '/devices', inputs)
    return (f'<li><span>{name} <small>Logged in {ago(device.created)}, last used {ago(device.accessed)}<br>'
            f'Session <code>{device.id[:12]}…</code></small></span>{button}</li>\n')


@view_config(route_name='devices', request_method='GET')
def show(request):
    request.session.get_csrf_token()
    body = '<h1>Your devices</h1>\n' + messages(request)
    if not (sessions := subject(request)):
        return Response(body + '<p><a href="/">Log in</a> to see where you are logged in.</p>\n')
    rows = ''.join(row(request, device) for device in sessions.sessions)
    return Response(body + f'<p>You are logged in here:</p>\n<ul class="rows">\n{rows}</ul>\n')


@view_config(route_name='devices', request_method='POST')
def revoke(request):
    if (sessions := subject(request)) and sessions.revoke(request.POST.get('id', '')):
        request.session.flash('The device is logged out.')
    return HTTPSeeOther('/devices')


@view_config(route_name='logout_everywhere', request_method='POST')
def log_out_everywhere(request):
    """Ends all sessions of the user, wherever they logged in."""
    if sessions := subject(request):
        sessions.revoke_all()
    request.session.invalidate()
    return HTTPSeeOther('/')


def includeme(config):
    config.add_route('devices', '/devices')
    config.add_route('logout_everywhere', '/logout/everywhere')
    config.scan(__name__)
