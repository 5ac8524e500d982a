"""A browser for applications that are called in this process."""

import views
from pyramid.request import Request


class Browser:
    """Calls an application, and keeps its session's cookie."""

    def __init__(self, application, address=None):
        self.application = application
        self.address = address
        self.cookies = {}

    def get(self, path, **environ):
        request = Request.blank(path, environ=environ, base_url=self.address)
        if self.cookies:
            request.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = request.get_response(self.application)
        for header in response.headers.getall("Set-Cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if value:
                self.cookies[name] = value
        return response


def browse(*arguments, **options):
    return Browser(views.application(*arguments, **options))
