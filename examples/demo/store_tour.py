"""The steps that need a store: concurrent requests lose nothing, and a logout ends every copy of a session."""

from concurrent.futures import ThreadPoolExecutor

from browser import Browser


def log_in(servers, user):
    browser = Browser(servers, redirects=False)
    browser.post('pyramid', '/login', user=user, csrf_token=browser.session('pyramid')['csrf_token'])
    return browser


def users(browser):
    """Returns which user each server finds in the browser's session."""
    return {server: browser.session(server)['state'].get('user') for server in browser.servers.commands}


def everywhere(servers, user):
    return dict.fromkeys(servers.commands, user)


def check_is_ended(what, browser, report):
    for server in browser.servers.commands:
        seen = browser.copy().session(server)
        report.check(f'{what} at {server}', [seen['load_result'], seen['state'].get('user')], ['missing', None])


def add_at_once(servers, report):
    step, check = report.step, report.check
    step('Add to the cart and add messages in 40 requests at the same time')
    browser = log_in(servers, 'ada')
    token, cookie = browser.session('go')['csrf_token'], browser.cookie().value

    def add(number):
        tab = browser.copy()
        if number % 2:
            return tab.post('c', '/note', message=f'message {number}', csrf_token=token).code
        return tab.post('go', '/shop', sku='A-1', quantity=2, csrf_token=token).code

    with ThreadPoolExecutor(8) as pool:
        check('every request succeeds', list(pool.map(add, range(40))), [303] * 40)
    seen = browser.session('ruby')
    check('no article is lost', seen['state'].get('cart.A-1'), 40)
    check('no message is lost', sorted(seen['flash']), sorted(f'message {number}' for number in range(1, 40, 2)))
    check('the cookie has only an id, which stays the same',
          [browser.cookie().value == cookie, len(cookie) < 100], [True, True])


def log_out(servers, report):
    step, check = report.step, report.check
    step('Log out at Pyramid, while a thief has a copy of the cookie')
    browser = log_in(servers, 'bob')
    thief = browser.copy()
    check('the copy opens bob\'s session at every server', users(thief), everywhere(servers, 'bob'))
    browser.post('pyramid', '/logout', csrf_token=browser.session('pyramid')['csrf_token'])
    check_is_ended('it opens nothing', thief, report)


def log_out_everywhere(servers, report):
    step, check = report.step, report.check
    step('Log out everywhere: ada has two browsers, and bob has one')
    laptop, phone, other = log_in(servers, 'ada'), log_in(servers, 'ada'), log_in(servers, 'bob')
    check('ada is logged in with both browsers', [users(laptop), users(phone)], [everywhere(servers, 'ada')] * 2)
    token = laptop.session('pyramid')['csrf_token']
    path = '/logout/everywhere'
    check('the request without a CSRF token is refused', laptop.post('pyramid', path).code, 400)
    check('the request with the token succeeds', laptop.post('pyramid', path, csrf_token=token).code, 303)
    check_is_ended('the other browser is logged out', phone, report)
    check('the browser that asked is logged out at every server', users(laptop), everywhere(servers, None))
    check('bob stays logged in', users(other), everywhere(servers, 'bob'))


def store_tour(servers, report):
    add_at_once(servers, report)
    log_out(servers, report)
    log_out_everywhere(servers, report)
