"""The tour of a browser through all servers. It is the same for sessions in a cookie and in a store."""

import html
import json
import urllib.request

from browser import Browser

MESSAGE = 'Zoë said: "it <works> & costs 3 €" 🎉'
CART = {'cart.A-1': 3, 'cart.Käse 🧀': 1}


def cart(seen):
    return {key: value for key, value in seen['state'].items() if key.startswith('cart.')}


def tour(servers, report):
    browser = Browser(servers)
    stored = servers.environment['KHUFU_STORE'] != ''
    step, check = report.step, report.check

    others = [server for server in servers.commands if server != 'pyramid']

    step('First visit to Pyramid')
    seen = browser.session('pyramid')
    check('the session is new', seen['load_result'], 'none')
    check('it holds a CSRF token and nothing else', seen['state'], {'_csrft_': seen['csrf_token']})
    check('the cookie is HttpOnly', browser.cookie().has_nonstandard_attr('HttpOnly'))

    step('Log in as ada at Pyramid')
    check('the login without a CSRF token is refused', browser.post('pyramid', '/login', user='ada').code, 400)
    page = browser.post('pyramid', '/login', user='ada', csrf_token=seen['csrf_token'])
    check('the login with the token succeeds', [page.code, '"user": "ada"' in html.unescape(page.body)], [200, True])

    step('Add to the cart at the Go server')
    seen = browser.session('go')
    token = seen['csrf_token']
    check('Pyramid\'s cookie opens', seen['load_result'], 'loaded')
    check('ada is logged in', seen['state'].get('user'), 'ada')
    page = browser.post('go', '/cart', sku='A-1', quantity=2, csrf_token='0' * 40)
    check('a wrong CSRF token is refused', page.code, 403)
    check('no CSRF token is refused', browser.post('go', '/cart', sku='A-1', quantity=2).code, 403)
    page = browser.post('go', '/cart', sku='A-1', quantity='many', csrf_token=token)
    check('a wrong quantity is refused', page.code, 400)
    check('the cart is still empty', cart(browser.session('go')), {})
    check('2 × A-1 are added', browser.post('go', '/cart', sku='A-1', quantity=2, csrf_token=token).code, 200)
    check('1 × Käse 🧀 is added', browser.post('go', '/cart', sku='Käse 🧀', quantity=1, csrf_token=token).code, 200)
    check('1 more × A-1 is added', browser.post('go', '/cart', sku='A-1', quantity=1, csrf_token=token).code, 200)
    check('the cart is right', cart(browser.session('go')), CART)

    step('Add a flash message at the C server')
    seen = browser.session('c')
    check('Go\'s cookie opens', seen['load_result'], 'loaded')
    check('user and cart are there', [seen['state'].get('user'), cart(seen)], ['ada', CART])
    check('the CSRF token is the same', seen['csrf_token'], token)
    check('a wrong CSRF token is refused', browser.post('c', '/flash', message='no', csrf_token='x').code, 403)
    check('a missing message is refused', browser.post('c', '/flash', csrf_token=token).code, 400)
    page = browser.post('c', '/flash', message=b'\xff', csrf_token=token)
    check('a message that is not UTF-8 is refused', page.code, 400)
    check('a message is added', browser.post('c', '/flash', message=MESSAGE, csrf_token=token).code, 200)
    check('the message is there', browser.session('c')['flash'], [MESSAGE])

    step('Read everything at the Ruby server')
    expected = {'user': 'ada', '_csrft_': token, **CART, '_f_': [MESSAGE]}
    seen = browser.session('ruby')
    check('C\'s cookie opens', seen['load_result'], 'loaded')
    report.show(seen['state'])
    check('the whole session is there, in order', seen['state'], expected)
    check('the message is there, and reading does not remove it',
          [seen['flash'], browser.session('ruby')['flash']], [[MESSAGE], [MESSAGE]])
    check('a wrong CSRF token is refused', browser.post('ruby', '/cart/delete', sku='A-1', csrf_token='x').code, 403)
    check('the cheese is removed', browser.post('ruby', '/cart/delete', sku='Käse 🧀', csrf_token=token).code, 200)
    del expected['cart.Käse 🧀']

    step('Read the HTML pages')
    for server in [*others, 'pyramid']:  # Pyramid is last, because its page pops the message
        page = browser.get(server)
        links = [other for other in servers.commands if f'href="{servers.url(other, "/")}"' in page.body]
        check(f'{server} shows ada and the message, escaped, and links to the others',
              [page.code, page.headers.get_content_type(), 'ada' in page.body, '&lt;works&gt;' in page.body,
               '<works>' in page.body, sorted(links)],
              [200, 'text/html', True, True, False, sorted(set(servers.commands) - {server})])
        check(f'{server} forbids shared caching',
              [page.headers.get('Vary'), page.headers.get('Cache-Control')], ['Cookie', 'private'])
    check('the message is gone after Pyramid showed it', browser.session('ruby')['flash'], [])
    browser.post('c', '/flash', message=MESSAGE, csrf_token=token)

    step('Return to Pyramid')
    seen = browser.session('pyramid')
    check('Ruby\'s and C\'s cookie opens', seen['load_result'], 'loaded')
    report.show(seen['state'])
    check('the whole session is there, in order', seen['state'], expected)
    check('the message is popped', seen['flash'], [MESSAGE])
    del expected['_f_']
    seen = browser.session('pyramid')
    check('the next answer has no message and the rest of the session', [seen['flash'], seen['state']], [[], expected])
    for server in others:
        seen = browser.session(server)
        check(f'{server} has the same session', [seen['flash'], seen['state']], [[], expected])

    step('Order at the C++ server')
    check('a wrong CSRF token is refused', browser.post('cpp', '/checkout', csrf_token='x').code, 403)
    check('the order succeeds', browser.post('cpp', '/checkout', csrf_token=token).code, 200)
    check('an empty cart cannot be ordered', browser.post('cpp', '/checkout', csrf_token=token).code, 400)
    seen = browser.session('pyramid')
    check('at Pyramid the cart is empty', cart(seen), {})
    check('Pyramid shows the C++ server\'s message', seen['flash'], ['Thank you for ordering 3 articles.'])

    step('Send a forged cookie')
    genuine = browser.cookie().value
    for server in servers.commands:
        forged = genuine[:10] + ('A' if genuine[10] != 'A' else 'B') + genuine[11:]
        request = urllib.request.Request(servers.url(server, '/session'), headers={'Cookie': f'session={forged}'})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
            seen = json.load(response)
        check(f'{server} opens it as a new session',
              [seen['load_result'], list(seen['state'])],
              ['none' if server == 'pyramid' and not stored else 'bad_signature', ['_csrft_']])

    step('Log out at Pyramid')
    browser.post('pyramid', '/logout', csrf_token=token)
    for server in servers.commands:
        check(f'ada is logged out at {server}', browser.session(server)['state'].get('user'), None)
