"""Serves the views with pyramid_redis_sessions, which needs Pyramid 1. Prints the port.

Its arguments are the secret and the path of Redis' socket.
"""

import sys
from wsgiref.simple_server import make_server

from pyramid_redis_sessions import RedisSessionFactory

import views

secret, socket = sys.argv[1:]
factory = RedisSessionFactory(secret, unix_socket_path=socket)
server = make_server("127.0.0.1", 0, views.application(factory))
print(server.server_port, flush=True)
server.serve_forever()
