"""A Pyramid application that logs in and out, for the tests with servers. The environment has its options."""

import json
import os

from pyramid.config import Configurator
from pyramid.csrf import check_csrf_token, get_csrf_token
from pyramid.response import Response


def show(request):
    session = request.session
    shown = {
        "user": session.get("user"),
        "flash": session.pop_flash(),
        "csrf": get_csrf_token(request),
        "id": session.id,
        "process": os.getpid(),
    }
    return Response(json=shown)


def log_in(request):
    check_csrf_token(request)
    request.session["user"] = request.params["user"]
    request.session.flash(f"Welcome, {request.params['user']}.")
    request.session.regenerate_id()
    return Response("hello")


def log_out(request):
    check_csrf_token(request)
    request.session.invalidate()
    return Response("bye")


def make():
    # The factory is made once. gunicorn's --preload forks afterwards.
    with Configurator(
        settings={f"khufu.{name}": value for name, value in json.loads(os.environ["KHUFU_SETTINGS"]).items()}
    ) as config:
        config.include("khufu.pyramid")
        for name, view, method in (("show", show, "GET"), ("log_in", log_in, "POST"), ("log_out", log_out, "POST")):
            config.add_route(name, f"/{name}")
            config.add_view(view, route_name=name, request_method=method)
    return config.make_wsgi_app()


app = make()
