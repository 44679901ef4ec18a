"""Settings from the environment: a value is parsed, or regui refuses to start and says why.

A secret may come from a file instead: `NAME_FILE` names it. A knob stands on one line in `settings.py`.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Env:
    """Reads one mapping, the process's environment by default, so that tests can hand in their own."""

    values: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        """The value without surrounding white space; the default when unset or empty."""
        return self.values.get(name, "").strip() or default

    def secret(self, name: str) -> str:
        """The value, or the content of the file that `NAME_FILE` names, without its final newline."""
        path = self.text(f"{name}_FILE")
        if not path:
            return self.values.get(name, "")
        if self.values.get(name):
            raise refuse(f"{name}_FILE", f"{name} is set too; set one of them")
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise refuse(f"{name}_FILE", str(error)) from error

    def flag(self, name: str, *, default: bool) -> bool:
        return self.parsed(name, default, parse_flag)

    def duration(self, name: str, default: str) -> timedelta:
        """A time such as 30s, 5m, 12h or 7d."""
        return self.parsed(name, parse_duration(default), parse_duration)

    def choice(self, name: str, options: tuple[str, ...]) -> str | None:
        """One of the options, or None when unset."""
        return self.parsed(name, None, one_of(options))

    def url(self, name: str) -> str:
        """An http or https address without a trailing slash; empty when unset."""
        return self.parsed(name, "", parse_url)

    def file(self, name: str) -> str:
        """The path of a file that exists; empty when unset."""
        return self.parsed(name, "", parse_file)

    def parsed(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        """What `parse` makes of the value, the default when there is none; refuses what `parse` refuses."""
        text = self.text(name)
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            raise refuse(name, str(error)) from error


def refuse(name: str, why: str) -> ImproperlyConfigured:
    """The error that stops the start. It never repeats the value: that may be a secret in the wrong place."""
    return ImproperlyConfigured(f"{name}: {why}.")


def parse_flag(text: str) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise ValueError("must be on or off")


def parse_duration(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)\s*([smhd])?", text)
    if match is None:
        raise ValueError("must be a time such as 30s, 5m, 12h or 7d")
    return timedelta(**{UNITS[match[2] or "s"]: int(match[1])})


def one_of(options: tuple[str, ...]) -> Callable[[str], str | None]:
    def parse(text: str) -> str:
        if text not in options:
            raise ValueError(f"must be one of {', '.join(options)}")
        return text

    return parse


def parse_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address such as https://registry.example.com")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must hold neither credentials nor a query; there are settings for the user name and password")
    _ = parts.port  # raises when it is no number
    return text.rstrip("/")


def parse_file(text: str) -> str:
    if not Path(text).is_file():
        raise ValueError("there is no such file")
    return text


env = Env(os.environ)
