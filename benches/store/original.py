"""Puts the load of load.c on pyramid_session_redis, in a Pyramid application that is called without a server.

Usage: original.py REDIS_URL PROCESSES THREADS REQUESTS. Starts PROCESSES processes with THREADS threads each, and every
thread sends REQUESTS requests.
"""
import multiprocessing
import sys
import threading
import time
from importlib.metadata import version

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid_session_redis import RedisSessionFactory


def write(request):
    session, key = request.session, request.params["key"]
    session[key] = 1
    session.flash(key)
    session.flash(key, "queue")
    return Response()


def read(request):
    session = request.session
    return {"keys": list(session), "messages": session.peek_flash(), "queue": session.peek_flash("queue")}


def application(redis_url):
    with Configurator(session_factory=RedisSessionFactory("itsaseekreet", redis_url=redis_url)) as config:
        for view, renderer in (write, None), (read, "json"):
            config.add_route(view.__name__, f"/{view.__name__}")
            config.add_view(view, route_name=view.__name__, renderer=renderer)
        return config.make_wsgi_app()


def call(app, path, cookie):
    response = Request.blank(path, headers={"Cookie": cookie}).get_response(app)
    assert response.status_code == 200, response.status
    return response


def run_process(redis_url, cookie, process, threads, requests):
    app = application(redis_url)

    def send_requests(thread):
        for request in range(requests):
            call(app, f"/write?key={process}-{thread}-{request}", cookie)

    running = [threading.Thread(target=send_requests, args=[thread]) for thread in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def main(redis_url, processes, threads, requests):
    app = application(redis_url)
    cookie = call(app, "/write?key=first", "").headers["Set-Cookie"].split(";")[0]
    began = time.monotonic()
    if processes == 1:
        run_process(redis_url, cookie, 0, threads, requests)
    else:
        fork = multiprocessing.get_context("fork")
        running = [
            fork.Process(target=run_process, args=(redis_url, cookie, process, threads, requests))
            for process in range(processes)
        ]
        for process in running:
            process.start()
        for process in running:
            process.join()
    took = time.monotonic() - began
    wanted = {f"{p}-{t}-{r}" for p in range(processes) for t in range(threads) for r in range(requests)}
    lost = sum(len(wanted.difference(kept)) for kept in call(app, "/read", cookie).json.values())
    name = f"pyramid_session_redis {version('pyramid_session_redis')}"
    if processes > 1:
        name += f", {processes} processes"
    print(f"{name:40} {3 * len(wanted):8} {lost:8} {len(wanted) / took:10.0f}  for comparison")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
