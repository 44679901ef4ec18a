"""Settings from the environment: a value is parsed, or regui refuses to start and says why.

A secret may come from a file instead: `NAME_FILE` names it. A knob stands on one line in `settings.py`.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Env:
    """Reads one mapping, the process's environment by default, so that tests can hand in their own.

    `asked` collects the names that were looked up: what is set beyond them has no effect.
    """

    values: Mapping[str, str]
    asked: set[str] = field(default_factory=set, compare=False, repr=False)

    def text(self, name: str, default: str = "") -> str:
        """The value without surrounding white space; the default when unset or empty."""
        self.asked.add(name)
        return self.values.get(name, "").strip() or default

    def secret(self, name: str) -> str:
        """The value, or the content of the file that `NAME_FILE` names, without its final newline."""
        self.asked.add(name)
        path = self.text(f"{name}_FILE")
        if not path:
            return self.values.get(name, "")
        if self.values.get(name):
            raise refuse(f"{name}_FILE", f"{name} is set too; set one of them")
        try:
            secret = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise refuse(f"{name}_FILE", "the file is not text") from error
        except OSError as error:
            raise refuse(f"{name}_FILE", f"the file can't be read: {error.strerror}") from error
        if not secret:
            raise refuse(f"{name}_FILE", "the file is empty")
        return secret

    def flag(self, name: str, *, default: bool) -> bool:
        return self.parsed(name, default, parse_flag)

    def choice(self, name: str, options: tuple[str, ...]) -> str | None:
        """One of the options, or None when unset."""
        return self.parsed(name, None, one_of(options))

    def duration(self, name: str, default: str) -> timedelta:
        """A length of time, written `90s`, `5m`, `12h` or `30d`."""
        return self.parsed(name, parse_duration(default), parse_duration)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number between the two, themselves included."""
        return self.parsed(name, default, between(least, most))

    def share(self, name: str, default: str) -> float:
        """A part of the whole, written `10%`: 0.1. Between 1% and 100%."""
        return self.parsed(name, parse_share(default), parse_share)

    def url(self, name: str) -> str:
        """An http or https address without a trailing slash; empty when unset."""
        return self.parsed(name, "", parse_url)

    def path(self, name: str) -> str:
        """A path below the host, without its outer slashes; empty when unset."""
        return self.parsed(name, "", parse_path)

    def file(self, name: str) -> str:
        """The path of a file that exists; empty when unset."""
        return self.parsed(name, "", parse_file)

    def parsed(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        """What `parse` makes of the value, the default when there is none; refuses what `parse` refuses."""
        return converted(name, self.text(name), default, parse)

    def secret_parsed(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        """The same of a secret."""
        return converted(name, self.secret(name).strip(), default, parse)


def converted(name: str, text: str, default: T, parse: Callable[[str], T]) -> T:
    """What `parse` makes of the text, the default when there is none; ValueError becomes a refusal."""
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


def one_of(options: tuple[str, ...]) -> Callable[[str], str | None]:
    def parse(text: str) -> str:
        if text not in options:
            raise ValueError(f"must be one of {', '.join(options)}")
        return text

    return parse


def parse_duration(text: str) -> timedelta:
    if text == "0":  # the same in any unit
        return timedelta()
    found = re.fullmatch(r"(\d{1,6}) ?([smhd])", text, re.ASCII)
    if found is None:
        raise ValueError("must be a length of time such as 90s, 5m, 12h or 30d")
    return timedelta(seconds=int(found[1]) * SECONDS[found[2]])


def between(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def parse_share(text: str) -> float:
    found = re.fullmatch(r"(\d{1,3}) ?%", text, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= 100:
        raise ValueError("must be a share from 1% to 100%")
    return int(found[1]) / 100


def parse_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:  # its message quotes what was put there
        raise ValueError("must be an address such as https://registry.example.com") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address such as https://registry.example.com")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must hold neither credentials (they have settings of their own) nor a query")
    return text.rstrip("/")


def parse_path(text: str) -> str:
    """A path without its outer slashes; `/` is the empty one."""
    path = text.strip("/")
    parts = path.split("/") if path else []
    if not all(re.fullmatch(r"[A-Za-z0-9._~-]+", part) and part not in {".", ".."} for part in parts):
        raise ValueError("must be a path such as /regui, of letters, digits, dots, dashes and slashes")
    return path


def parse_file(text: str) -> str:
    if not Path(text).is_file():
        raise ValueError("there is no such file")
    return text


env = Env(os.environ)
