"""Where news of what regui did by itself is sent: by e-mail, to a webhook."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from regui.bind import is_loopback
from regui.env import Env, refuse

JSON, SLACK = "json", "slack"
PORTS = {"smtp": 587, "smtps": 465}
NOBODY: tuple[str, ...] = ()
# Enough to tell an address from something else: whether it leads anywhere its server knows.
ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
SENDER = re.compile(r"[^\r\n<>]*<[^\s@<>,;]+@[^\s@<>,;]+>")


@dataclass(frozen=True)
class Server:
    """A server that takes e-mail. `tls` is from the beginning, `start_tls` by asking for it."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    start_tls: bool = False


@dataclass(frozen=True)
class Mail:
    """Who gets e-mail, from whom, by which server."""

    server: Server
    sender: str
    to: tuple[str, ...]


@dataclass(frozen=True)
class Hook:
    """An address to post to. It is a secret itself: whoever has it can write there."""

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    format: str = JSON


def mail(env: Env) -> Mail | None:
    """To whom summaries go by e-mail; None for nobody."""
    server = env.secret_parsed("REGUI_EMAIL_URL", None, parse_server)
    sender = env.parsed("REGUI_EMAIL_FROM", "", parse_sender)
    to = env.parsed("REGUI_CLEANUP_EMAIL_TO", NOBODY, parse_addresses)
    if not to:
        return None
    if server is None:
        raise refuse("REGUI_EMAIL_URL", "must be set along with REGUI_CLEANUP_EMAIL_TO")
    if not sender:
        raise refuse("REGUI_EMAIL_FROM", "must be set along with REGUI_CLEANUP_EMAIL_TO")
    return Mail(server, sender, to)


def hook(env: Env) -> Hook | None:
    """Where summaries are posted to; None for nowhere."""
    url = env.secret_parsed("REGUI_CLEANUP_WEBHOOK_URL", "", parse_hook)
    secret = env.secret("REGUI_CLEANUP_WEBHOOK_SECRET").strip()
    form = env.choice("REGUI_CLEANUP_WEBHOOK_FORMAT", (JSON, SLACK)) or JSON
    if not url and secret:
        raise refuse("REGUI_CLEANUP_WEBHOOK_URL", "must be set along with REGUI_CLEANUP_WEBHOOK_SECRET")
    return Hook(url, secret, form) if url else None


def parse_server(text: str) -> Server | None:
    """The server that an address such as `smtp://user:password@mail.example.com:587` means. What is no
    address is never repeated: a password may stand in it."""
    what = "must be an address such as smtp://user:password@mail.example.com:587"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(what) from None
    asked = parse_qs(parts.query, keep_blank_values=True)
    wrong = parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.fragment
    if wrong or asked.keys() - {"tls"}:
        raise ValueError(what)
    host, password = str(parts.hostname), unquote(parts.password or "")
    found = asked.get("tls", ["on" if parts.scheme == "smtps" else "starttls"])[-1]
    if found not in ({"on"} if parts.scheme == "smtps" else {"starttls", "off"}):
        raise ValueError("has a tls that must be starttls or off; smtps:// begins with TLS in any case")
    if found == "off" and password and not is_loopback(host):
        raise ValueError("must not have tls=off, or the password would cross the network in clear")
    return Server(
        host=host,
        port=port or PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=password,
        tls=found == "on",
        start_tls=found == "starttls",
    )


def parse_sender(text: str) -> str:
    if not ADDRESS.fullmatch(text) and not SENDER.fullmatch(text):
        raise ValueError("must be an address such as regui@example.com or regui <regui@example.com>")
    return text


def parse_addresses(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(filter(None, re.split(r"[\s,;]+", text))))
    if not all(ADDRESS.fullmatch(one) for one in found):
        raise ValueError("must hold addresses such as team@example.com, with commas between them")
    return found


def parse_hook(text: str) -> str:
    """An http or https address as it is; a query may be part of it."""
    what = "must be an address such as https://hooks.example.com/services/…"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(what) from None
    plain = text.isascii() and text.isprintable() and " " not in text
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise ValueError(what)
    if parts.username is not None or parts.fragment:
        raise ValueError("must hold neither credentials nor a fragment")
    return text
