"""A person's walk through the site, in Chromium. It saves a picture of each page."""

from browser import Browser

MESSAGE = 'For Zoë & Tom: <handle with care>'
DESKTOP, PHONE = 1280, 360


class Walk:
    """One browser on the site. The names of its pictures begin with `pictures`."""

    def __init__(self, browser, site, report, pictures):
        self.browser, self.url, self.report, self.pictures = browser, site.url('site', '/'), report, pictures
        self.secret = site.environment['KHUFU_SECRET']
        browser.forget_cookies()
        browser.resize(DESKTOP)

    def read(self, selector):
        """Returns the text of the first element that the selector finds, or None."""
        return next(iter(self.browser.texts(selector)), None)

    def session(self):
        """Returns the session's keys and values, as the page shows them."""
        return dict(zip(self.browser.texts('.contents dt'), self.browser.texts('.contents dd')))

    def check(self, what, found, wanted=True):
        self.report.check(what, found, wanted)

    def check_page(self, language, heading, found, user):
        """Checks what every page shows."""
        self.check(f'{language} answers with the page {heading!r}',
                   [self.read('.answered strong'), self.read('h1')], [language, heading])
        self.check(f'the cookie is found: {found}', self.read('.found code'), found)
        self.check('the page shows the user', self.read('.user'), f'Logged in as {user}' if user else 'Not logged in')
        self.check('it does not show the secret', self.secret in self.browser.source(), False)

    def check_sent(self, request, sends_cookie):
        """Checks what was sent for a request that is among the last exchanges."""
        exchange = next((text for text in self.browser.texts('.exchanges li') if text.startswith(request)), '')
        self.check(f'{request} sends ' + ('a cookie' if sends_cookie else 'nothing'),
                   ['Set-Cookie: session=' in exchange, 'nothing' in exchange], [sends_cookie, not sends_cookie])

    def picture(self, name, *, dark=False):
        """Saves a picture for a desktop and one for a phone."""
        for width in [DESKTOP, PHONE]:
            self.browser.resize(width, dark=dark)
            if width == PHONE:
                self.check(f'no scrolling to the side: {name}', self.browser.content_width() <= PHONE)
            scheme = '-dark' if dark else ''
            self.browser.save_picture(self.pictures.with_name(f'{self.pictures.name}-{name}{scheme}-{width}.png'))
        self.browser.resize(DESKTOP)

    def log_in(self, user):
        self.browser.open(self.url)
        self.browser.fill('user', user)
        self.browser.press('Log in')


def shop(walk, stored):
    browser, step = walk.browser, walk.report.step
    step('A person opens the site in Chromium')
    browser.open(walk.url)
    walk.check_page('Python', 'One shop, five languages', 'none', None)
    walk.check('the session has only a CSRF token', list(walk.session()), ['_csrft_'])
    walk.check_sent('GET /', True)
    walk.picture('welcome')

    step('Log in as ada')
    walk.log_in('ada')
    walk.check_page('Python', 'One shop, five languages', 'loaded', 'ada')
    walk.check('the session has the user', walk.session().get('user'), '"ada"')
    walk.check_sent('POST /login', True)
    walk.check('the page shows the size and the age',
               browser.texts('.facts dt'), ['Kept in', 'Age', 'Data', 'Cookie'])
    walk.check('and where the session is kept', walk.read('.facts dd'), 'the store' if stored else 'the cookie')
    walk.picture('account')

    step('Add three articles to the cart')
    browser.press('Shop Go')
    walk.check_page('Go', 'The shop', 'loaded', 'ada')
    for article in ['Lamp', 'Papyrus', 'Lamp']:
        browser.press(f'Add {article} to the cart')
    walk.check('the page shows how many are in the cart', walk.read('.articles li:nth-child(3) p'), '2 in the cart')
    walk.check('the session has the cart',
               [walk.session().get(key) for key in ['cart.Lamp', 'cart.Papyrus']], ['2', '1'])
    walk.check_sent('POST /shop', not stored)
    walk.picture('shop')
    walk.picture('shop', dark=True)

    step('Leave a message')
    browser.press('Message C')
    browser.fill('message', MESSAGE)
    browser.press('Add the message')
    walk.check_page('C', 'Leave a message', 'loaded', 'ada')
    walk.check('the message waits', 'Zoë' in walk.read('article code'))
    walk.picture('message')

    step('Look at the cart')
    browser.press('Cart Ruby')
    walk.check_page('Ruby', 'Your cart', 'loaded', 'ada')
    walk.check('the message of the page in C is shown, as text', browser.texts('.message'), [MESSAGE])
    walk.check('the cart is right', browser.texts('.rows span'), ['2 × Lamp', '1 × Papyrus'])
    walk.picture('cart')
    browser.press('Remove Papyrus')
    walk.check('the papyrus is removed', browser.texts('.rows span'), ['2 × Lamp'])
    walk.check('the message was shown once', browser.texts('.message'), [])

    step('Order')
    browser.press('Checkout C++')
    walk.check_page('C++', 'Checkout', 'loaded', 'ada')
    walk.check('the order is right', browser.texts('article li'), ['2 × Lamp'])
    walk.picture('checkout')
    browser.press('Place the order')
    walk.check('the shop says thank you', browser.texts('.message'), ['Thank you for ordering 2 articles.'])
    walk.check('the cart is empty', 'cart.Lamp' in walk.session(), False)
    walk.picture('ordered')

    step('Open a page that does not exist')
    browser.open(f'{walk.url}nothing')
    walk.check('it is refused', [walk.read('h1'), walk.read('.refusal')], ['Not Found', 'There is no such page.'])
    walk.check('and the session is shown', walk.session().get('user'), '"ada"')
    walk.picture('refused')


def devices(walk, phone):
    browser, step = walk.browser, walk.report.step
    step('Log out another device')
    phone.log_in('ada')
    browser.press('Devices Python')
    walk.check_page('Python', 'Your devices', 'loaded', 'ada')
    walk.check('ada has two sessions', len(browser.texts('.rows li')), 2)
    walk.picture('devices')
    browser.press('Log out')
    walk.check('the device is logged out', [browser.texts('.message'), len(browser.texts('.rows li'))],
               [['The device is logged out.'], 1])
    phone.browser.press('Shop Go')
    phone.check_page('Go', 'The shop', 'missing', None)
    phone.picture('revoked')


def attack(walk, phone, stored):
    browser, step = walk.browser, walk.report.step
    step('Rotate the secret')
    browser.press('Account Python')
    browser.press('Rotate the secret')
    walk.check_page('Go', 'The shop', 'loaded_previous_secret', 'ada')
    walk.check_sent('GET /shop', True)
    walk.picture('rotated')
    for page, language, heading in [('Account Python', 'Python', 'One shop, five languages'),
                                    ('Message C', 'C', 'Leave a message'), ('Cart Ruby', 'Ruby', 'Your cart'),
                                    ('Checkout C++', 'C++', 'Checkout')]:
        browser.press(page)
        walk.check_page(language, heading, 'loaded', 'ada')

    step('Tamper with the cookie')
    browser.press('Cart Ruby')
    browser.press('Tamper with the cookie')
    walk.check_page('Ruby', 'Your cart', 'bad_signature', None)
    walk.check_sent('POST /tamper', True)
    walk.picture('tampered')
    walk.picture('tampered', dark=True)

    step('Log out everywhere')
    phone.log_in('ada')
    walk.log_in('ada')
    browser.press('Log out everywhere')
    walk.check('the browser that asked is logged out', walk.read('.user'), 'Not logged in')
    walk.picture('everywhere')
    phone.browser.press('Checkout C++')
    phone.check_page('C++', 'Checkout', 'missing' if stored else 'bad_signature', None)


def forge(site, report):
    report.step('Press the buttons from another site')
    for path in ['/tamper', '/rotate', '/replace']:
        report.check(f'{path} is refused', Browser(site).post('site', path).code, 403)


def walk(laptop, phone, site, report, pictures):
    """Walks through the site with two browsers, and saves the pictures in a folder."""
    stored = site.environment['KHUFU_STORE'] != ''
    name = 'store' if stored else 'cookie'
    first = Walk(laptop, site, report, pictures / name)
    second = Walk(phone, site, report, pictures / f'{name}-phone')
    shop(first, stored)
    if stored:
        devices(first, second)
    attack(first, second, stored)
    forge(site, report)
