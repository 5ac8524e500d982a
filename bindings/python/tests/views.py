"""An application with views that use its sessions. A test chooses the library of the sessions."""

from pyramid.config import Configurator
from pyramid.response import Response


def count(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return Response(str(request.session["count"]))


def read(request):
    return Response(repr(dict(request.session)), cache_control="public, max-age=60", vary="Accept")


def flash(request):
    request.session.flash("hello")
    return Response("flashed")


def pop(request):
    return Response(",".join(request.session.pop_flash()))


def log_out(request):
    request.session.invalidate()
    return Response("bye")


VIEWS = {each.__name__: each for each in (count, read, flash, pop, log_out)}


def application(factory=None, settings=None, set_up=None, **views):
    """Returns a WSGI application. Without a session factory, the settings describe khufu's."""
    config = Configurator(settings=settings)
    if factory is None:
        config.include("khufu.pyramid")
    else:
        config.set_session_factory(factory)
    for name, view in {**VIEWS, **views}.items():
        config.add_route(name, f"/{name}")
        config.add_view(view, route_name=name)
    if set_up:
        set_up(config)
    return config.make_wsgi_app()
