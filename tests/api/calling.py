"""A program that calls the API."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.test import Client, override_settings

from regui.accounts.models import User
from tests.people import enter

JSON = "application/json"


@dataclass
class Caller:
    """A program whose requests carry one role, whatever the others' carry; or those of a person who signed
    in, or with a token, where visitors may nothing."""

    role: str = "none"
    person: User | None = None
    token: str = ""
    cookies: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.person:
            client = Client()
            enter(client, self.person)
            self.cookies = dict(client.cookies)

    def get(self, address: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        """The response to a GET below /api/v1."""
        return self.send("GET", address, query=query, headers=headers)

    def post(self, address: str, body: Any = None, **headers: str) -> Any:
        """The response to a POST of JSON."""
        return self.send("POST", address, body=body, headers=headers)

    def send(
        self,
        method: str,
        address: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        content_type: str = JSON,
    ) -> Any:
        where = address if address.startswith("/api") else f"/api/v1{address}"
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        if self.cookies:  # as a browser's are, on regui's own pages
            headers = {"Origin": "http://testserver"} | (headers or {})
        if self.token:
            headers = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        with override_settings(ANONYMOUS_ROLE=self.role):
            client.cookies.update(self.cookies)
            if method == "GET":
                return client.get(where, query, headers=headers)
            # Said for an empty body, too, which Django's client leaves out.
            said: dict[str, Any] = {"CONTENT_TYPE": content_type}
            return client.generic(method, where, dumped(body), content_type, headers=headers, **said)

    def pages(self, address: str, query: dict[str, Any] | None = None) -> Iterator[list[Any]]:
        """The items of each page, by the cursors."""
        cursor: dict[str, str] = {}
        while True:
            page = self.get(address, {**(query or {}), **cursor}).json()
            yield page["items"]
            if page["next"] is None:
                return
            cursor = {"cursor": page["next"]}


def dumped(body: Any) -> str:
    return body if isinstance(body, str) else "" if body is None else json.dumps(body)
