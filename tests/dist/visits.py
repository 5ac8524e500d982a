"""Handles two requests of one visitor, who logs in with the first."""

import khufu

factory = khufu.Factory(secret=khufu.generate_secret(), httponly=True)

with factory.open() as session:
    session['user'] = 'ada'
    cookie = dict(session.commit())['Set-Cookie'].partition(';')[0]

with factory.open(cookie) as session:
    print(session.load_result, session['user'])
