"""The tour of a browser through all servers. It is the same for sessions in a cookie and in a store."""

import json
import urllib.request

from browser import Browser

PAGES = {'pyramid': '/', 'go': '/shop', 'c': '/note', 'ruby': '/cart', 'cpp': '/checkout'}
MESSAGE = 'Zoë said: "it <works> & costs 3 €" 🎉'
CART = {'cart.A-1': 3, 'cart.Käse 🧀': 1}


def cart(seen):
    return {key: value for key, value in seen['state'].items() if key.startswith('cart.')}


def tour(servers, report):
    browser = Browser(servers, redirects=False)
    stored = servers.environment['KHUFU_STORE'] != ''
    step, check = report.step, report.check

    step('First visit to Pyramid')
    seen = browser.session('pyramid')
    check('the session is new', seen['load_result'], 'none')
    check('it holds a CSRF token and nothing else', seen['state'], {'_csrft_': seen['csrf_token']})
    check('the cookie is HttpOnly', browser.cookie().has_nonstandard_attr('HttpOnly'))

    step('Log in as ada at Pyramid')
    check('the login without a CSRF token is refused', browser.post('pyramid', '/login', user='ada').code, 400)
    page = browser.post('pyramid', '/login', user='ada', csrf_token=seen['csrf_token'])
    check('the login with the token succeeds', page.code, 303)
    check('the page shows who is logged in', '<strong>ada</strong>' in browser.get('pyramid').body)

    step('Add to the cart at the Go server')
    seen = browser.session('go')
    token = seen['csrf_token']
    check('Pyramid\'s cookie opens', seen['load_result'], 'loaded')
    check('ada is logged in', seen['state'].get('user'), 'ada')
    page = browser.post('go', '/shop', sku='A-1', quantity=2, csrf_token='0' * 40)
    check('a wrong CSRF token is refused', page.code, 403)
    check('no CSRF token is refused', browser.post('go', '/shop', sku='A-1', quantity=2).code, 403)
    page = browser.post('go', '/shop', sku='A-1', quantity='many', csrf_token=token)
    check('a wrong quantity is refused', page.code, 400)
    check('the cart is still empty', cart(browser.session('go')), {})
    check('2 × A-1 are added', browser.post('go', '/shop', sku='A-1', quantity=2, csrf_token=token).code, 303)
    check('1 × Käse 🧀 is added', browser.post('go', '/shop', sku='Käse 🧀', quantity=1, csrf_token=token).code, 303)
    check('1 more × A-1 is added', browser.post('go', '/shop', sku='A-1', quantity=1, csrf_token=token).code, 303)
    check('the cart is right', cart(browser.session('go')), CART)

    step('Add a flash message at the C server')
    seen = browser.session('c')
    check('Go\'s cookie opens', seen['load_result'], 'loaded')
    check('user and cart are there', [seen['state'].get('user'), cart(seen)], ['ada', CART])
    check('the CSRF token is the same', seen['csrf_token'], token)
    check('a wrong CSRF token is refused', browser.post('c', '/note', message='no', csrf_token='x').code, 403)
    check('a missing message is refused', browser.post('c', '/note', csrf_token=token).code, 400)
    page = browser.post('c', '/note', message=b'\xff', csrf_token=token)
    check('a message that is not UTF-8 is refused', page.code, 400)
    check('a message is added', browser.post('c', '/note', message=MESSAGE, csrf_token=token).code, 303)
    check('the message is there', browser.session('c')['flash'], [MESSAGE])

    step('Read everything at the Ruby server')
    expected = {'user': 'ada', '_csrft_': token, **CART, '_f_': [MESSAGE]}
    seen = browser.session('ruby')
    check('C\'s cookie opens', seen['load_result'], 'loaded')
    report.show(seen['state'])
    check('the whole session is there, in order', seen['state'], expected)
    check('the message is there, and reading does not remove it',
          [seen['flash'], browser.session('ruby')['flash']], [[MESSAGE], [MESSAGE]])
    check('a wrong CSRF token is refused', browser.post('ruby', '/cart', sku='A-1', csrf_token='x').code, 403)
    check('the cheese is removed', browser.post('ruby', '/cart', sku='Käse 🧀', csrf_token=token).code, 303)
    del expected['cart.Käse 🧀']

    step('Read the HTML pages')
    for server, path in PAGES.items():
        page = browser.get(server, path)
        check(f'{server} shows the message, escaped',
              [page.code, page.headers.get_content_type(), '<works>' in page.body, '&lt;works&gt;' in page.body],
              [200, 'text/html', False, True])
        check(f'{server} forbids shared caching',
              [page.headers.get('Vary'), page.headers.get('Cache-Control')], ['Cookie', 'private'])
        check(f'{server} knows no other page', browser.get(server, '/nothing').code, 404)
        left = [MESSAGE] if server == 'c' else []  # the page in C is the one that only reads the messages
        check('then the message is ' + ('still there' if left else 'gone'), browser.session(server)['flash'], left)
        if not left:
            browser.post('c', '/note', message=MESSAGE, csrf_token=token)

    step('Return to Pyramid')
    seen = browser.session('pyramid')
    check('C\'s cookie opens', seen['load_result'], 'loaded')
    report.show(seen['state'])
    check('the whole session is there, in order', seen['state'], expected)
    browser.get('pyramid')
    del expected['_f_']
    for server in servers.commands:
        seen = browser.session(server)
        check(f'{server} has the rest of the session', [seen['flash'], seen['state']], [[], expected])

    step('Order at the C++ server')
    check('a wrong CSRF token is refused', browser.post('cpp', '/checkout', csrf_token='x').code, 403)
    check('the order succeeds', browser.post('cpp', '/checkout', csrf_token=token).code, 303)
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
