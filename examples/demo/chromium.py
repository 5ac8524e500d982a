"""Chromium without a window. It is driven by Debian's chromedriver, which speaks W3C's WebDriver protocol."""

import base64
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

# Root, which tests in containers often are, must turn off the sandbox.
OPTIONS = ['--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--hide-scrollbars']


@contextmanager
def chromedriver():
    """Starts the driver. Yields its URL."""
    driver = subprocess.Popen(['chromedriver', '--port=0'], stdout=subprocess.PIPE, text=True)
    try:
        for line in driver.stdout:
            if found := re.search(r'started successfully on port (\d+)', line):
                yield f'http://127.0.0.1:{found[1]}'
                return
        raise RuntimeError('chromedriver did not start')
    finally:
        driver.terminate()
        driver.wait()


class Chromium:
    """A browser with cookies of its own. It ends with the context."""

    def __init__(self, driver):
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._url = f'{driver}/session'

    def __enter__(self):
        options = {'goog:chromeOptions': {'args': OPTIONS}}
        session = self._send('POST', '', capabilities={'alwaysMatch': options})
        self._url += f'/{session["sessionId"]}'
        return self

    def __exit__(self, *_):
        self._send('DELETE', '')

    def open(self, url):
        self._send('POST', '/url', url=url)

    def texts(self, selector):
        """Returns what a person reads in each element that the CSS selector finds."""
        return [self._send('GET', f'{element}/text') for element in self._find('css selector', selector)]

    def source(self):
        """Returns the page's HTML."""
        return self._send('GET', '/source')

    def press(self, name):
        """Clicks the link or the button of this name, and waits for the next page."""
        has_name = f'[@aria-label="{name}" or normalize-space()="{name}"]'
        element, = self._find('xpath', f'//*[self::a or self::button]{has_name}')
        page = self._page()
        self._send('POST', f'{element}/click')
        until = time.monotonic() + 30
        while self._page() in (page, None):
            if time.monotonic() > until:
                raise RuntimeError(f'{name!r} led to no other page')
            time.sleep(0.01)

    def fill(self, field, text):
        element, = self._find('css selector', f'input[name="{field}"]')
        self._send('POST', f'{element}/value', text=text)

    def forget_cookies(self):
        self._command('Network.clearBrowserCookies')

    def resize(self, width, *, dark=False):
        """Gives the window a width in CSS pixels."""
        self._command('Emulation.setDeviceMetricsOverride', width=width, height=800, deviceScaleFactor=1, mobile=False)
        scheme = {'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}
        self._command('Emulation.setEmulatedMedia', features=[scheme])

    def content_width(self):
        return self._command('Page.getLayoutMetrics')['cssContentSize']['width']

    def save_picture(self, path):
        """Saves a picture of the whole page."""
        size = self._command('Page.getLayoutMetrics')['cssContentSize']
        picture = self._command('Page.captureScreenshot', captureBeyondViewport=True, clip={**size, 'scale': 1})
        path.write_bytes(base64.b64decode(picture['data']))

    def _page(self):
        """Returns an identifier of the page, or None if it is not yet complete."""
        if self._send('POST', '/execute/sync', script='return document.readyState', args=[]) != 'complete':
            return None
        return self._find('css selector', 'html')

    def _find(self, using, value):
        found = self._send('POST', '/elements', using=using, value=value)
        return [f'/element/{identifier}' for element in found for identifier in element.values()]

    def _command(self, name, **parameters):
        """Sends a command of Chromium's own protocol."""
        return self._send('POST', '/goog/cdp/execute', cmd=name, params=parameters)

    def _send(self, method, path, **parameters):
        data = json.dumps(parameters).encode() if method == 'POST' else None
        request = urllib.request.Request(self._url + path, data, {'Content-Type': 'application/json'}, method=method)
        try:
            with self._opener.open(request, timeout=60) as response:
                return json.load(response)['value']
        except urllib.error.HTTPError as error:
            raise RuntimeError(f'{method} {path}: {json.load(error)["value"]["message"]}') from None
