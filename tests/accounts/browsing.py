"""A browser without a screen: it keeps cookies, sends forms with their token, and shows every redirect.

Close it: the thread that serves a connection holds on to a session with the database while it lasts, and
PostgreSQL drops no database that somebody uses.
"""

import html
import re

import requests
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session

from regui.accounts import cookies
from regui.accounts.models import User

TOKEN = re.compile(r'"X-CSRFToken": "([^"]+)"')


def said(answer: requests.Response) -> str:
    """A page's source with its characters as people read them."""
    return html.unescape(answer.text)


class Browser:
    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update(headers)
        self._others: list[Browser] = []

    def another(self) -> "Browser":
        """Somebody else's, of the same site; it closes with this one."""
        self._others.append(Browser(self.url))
        return self._others[-1]

    def close(self) -> None:
        """Close every connection, those of `another` too."""
        for browser in self._others:
            browser.close()
        self.session.close()

    def get(self, path: str, **headers: str) -> requests.Response:
        """GET a path of the site, or an address; redirects are answers."""
        url = path if path.startswith("http") else f"{self.url}{path}"
        return self.session.get(url, headers=headers, allow_redirects=False, timeout=60)

    def post(self, path: str, **form: str) -> requests.Response:
        """Send a form as the page it stands on would."""
        found = TOKEN.search(self.get("/").text)
        assert found
        form["csrfmiddlewaretoken"] = found[1]
        return self.session.post(f"{self.url}{path}", data=form, allow_redirects=False, timeout=60)

    def through(self, person: str, there: str = "") -> requests.Response:
        """Sign in through the provider; the answer to coming back from it."""
        return self.get(self.from_provider(person, there))

    def from_provider(self, person: str, there: str = "") -> str:
        """The address that the provider sends this browser back to, once it has said who it is there."""
        begun = self.post("/-/account/sign-in/oidc/", **({"next": there} if there else {}))
        assert begun.status_code == 302, begun.text
        asked = self.get(begun.headers["Location"])
        assert asked.status_code == 200, asked.text
        sent = self.session.post(
            begun.headers["Location"], data={"person": person}, allow_redirects=False, timeout=60
        )
        return sent.headers["Location"]

    @property
    def person(self) -> str:
        """Whose session it is, as the site knows it; empty for nobody's."""
        for cookie in self.session.cookies:
            row = Session.objects.filter(session_key=cookies.opened(str(cookie.value))).first()
            if row and (pk := row.get_decoded().get(SESSION_KEY)):
                return User.objects.get(pk=pk).username
        return ""
