"""The parts of the Pyramid application's pages."""

from html import escape


def form(request, action, inputs):
    """Returns the HTML of a form with the session's CSRF token."""
    token = escape(request.session.get_csrf_token())
    return (f'<form method="post" action="{action}">\n'
            f'<input type="hidden" name="csrf_token" value="{token}">\n{inputs}\n</form>\n')


def messages(request):
    """Pops the messages, and returns their HTML."""
    return ''.join(f'<p class="message">{escape(str(message))}</p>\n' for message in request.session.pop_flash())
