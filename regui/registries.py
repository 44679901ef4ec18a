"""How registries are reached, one frozen record each, and those that the environment names."""

import re
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from regui import oci
from regui.env import Env, refuse

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
# First path parts of the site's own addresses.
RESERVED = frozenset({"api", "hooks", "healthz", "readyz", "metrics", "static", "accounts"})
# `REGUI_REGISTRY_URL` is the address of a registry, not the beginning of the settings of one called "url".
WORDS = frozenset({"url", "name", "username", "password", "verify", "pull-host"})
WORDS |= {"ca-file", "client-cert", "client-key", "key", "events-token", "names"}

# Names of repositories, and prefixes of names.
Names = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class RegistrySettings:
    """How to reach one registry. `password` and the keys never appear in its repr; `prefix` is what the
    names of its settings begin with. `names` are repositories to read whether it lists them or not, `under`
    prefixes such as "team": with any, only what begins with "team/" is taken from what it lists. `own` says
    that people show the registry credentials of their own.

    Of one that was entered on a page, `prefix` is empty, certificates are the text in `ca`, `cert` and `key`
    instead of paths, and `locked` says that what was kept sealed can't be opened."""

    name: str
    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = field(default="", repr=False)
    verify: bool = True
    pull_host: str = ""
    events_token: str = field(default="", repr=False)
    names: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    prefix: str = "REGUI_REGISTRY"
    ca: str = ""
    own: bool = False
    cert: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    locked: bool = False

    @property
    def host(self) -> str:
        """The host[:port] that goes before a repository's name in `docker pull`."""
        return self.pull_host or urlsplit(self.url).netloc


def from_env(env: Env) -> dict[str, RegistrySettings]:
    """The registries by name: that of `REGUI_REGISTRY_URL` first, then those `REGUI_REGISTRIES` lists."""
    found: dict[str, RegistrySettings] = {}
    name = default_name(env)
    if env.text("REGUI_REGISTRY_URL"):
        found[name] = one(env, name, "REGUI_REGISTRY")
    for name in re.split(r"[\s,]+", env.text("REGUI_REGISTRIES")):
        if not name:
            continue
        if checked("REGUI_REGISTRIES", name) in found:
            raise refuse("REGUI_REGISTRIES", f"{name} is named twice")
        found[name] = one(env, name, f"REGUI_REGISTRY_{name.upper().replace('-', '_')}")
    return found


def default_name(env: Env) -> str:
    """What the one registry is called that has no name of its own: `REGUI_REGISTRY_URL`'s, or the demo's."""
    return checked("REGUI_REGISTRY_NAME", env.text("REGUI_REGISTRY_NAME", "main"))


def checked(setting: str, name: str) -> str:
    """The name, when a registry may be called that."""
    try:
        check_name(name)
    except ValueError as error:
        raise refuse(setting, str(error)) from error
    return name


def check_name(name: str) -> None:
    """Nothing, or raises ValueError with the reason when no registry may be called that."""
    if not NAME.fullmatch(name):
        raise ValueError("a registry's name is 1 to 32 of a-z, 0-9 and -, and doesn't begin with -")
    if name in RESERVED | WORDS:
        raise ValueError(f"a registry can't be called {name}: the word has a meaning of its own")


def one(env: Env, name: str, prefix: str) -> RegistrySettings:
    """The registry whose settings begin with that prefix."""
    url = env.url(f"{prefix}_URL")
    if not url:
        raise refuse(f"{prefix}_URL", f"must say where the registry {name} is")
    username, password = env.text(f"{prefix}_USERNAME"), env.secret(f"{prefix}_PASSWORD")
    if password and not username:
        raise refuse(f"{prefix}_USERNAME", f"must be set along with {prefix}_PASSWORD")
    if ":" in username:  # RFC 7617, section 2: the password begins there
        raise refuse(f"{prefix}_USERNAME", "must have no colon, which ends a name in Basic authentication")
    verify = env.flag(f"{prefix}_VERIFY", default=True)
    ca_file, (cert, key) = authority(env, prefix), client_certificate(env, prefix)
    if ca_file and not verify:
        raise refuse(f"{prefix}_VERIFY", f"must be on for {prefix}_CA_FILE to have a meaning")
    nothing: Names = ((), ())
    names, under = env.parsed(f"{prefix}_NAMES", nothing, parse_names)
    return RegistrySettings(
        name=name,
        url=url,
        username=username,
        password=password,
        ca_file=ca_file,
        client_cert=cert,
        client_key=key,
        verify=verify,
        pull_host=env.parsed(f"{prefix}_PULL_HOST", "", parse_host),
        events_token=env.secret_parsed(f"{prefix}_EVENTS_TOKEN", "", parse_token),
        names=names,
        under=under,
        prefix=prefix,
        own=env.flag(f"{prefix}_OWN_CREDENTIALS", default=False),
    )


def authority(env: Env, prefix: str) -> str:
    """The path of the file with the authorities to trust; empty when unset."""
    name = f"{prefix}_CA_FILE"
    path = env.file(name)
    try:
        if path:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError as error:
        raise refuse(name, "the file holds no certificate in PEM format") from error
    except OSError as error:
        raise refuse(name, f"the file can't be read: {error.strerror}") from error
    return path


def client_certificate(env: Env, prefix: str) -> tuple[str, str]:
    """The paths of a client certificate and of its key, the latter empty when one file holds both."""
    name, key_name = f"{prefix}_CLIENT_CERT", f"{prefix}_CLIENT_KEY"
    cert, key = env.file(name), env.file(key_name)
    if key and not cert:
        raise refuse(name, f"must be set along with {key_name}")
    try:
        if cert:
            # Asked for a password, OpenSSL would wait for somebody to type it.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_cert_chain(cert, key or None, password=lambda: "")
    except ssl.SSLError as error:
        there = f"it and {key_name} hold no" if key else "the file holds no"
        why = f"{there} certificate and its private key, not encrypted, in PEM format"
        raise refuse(name, why) from error
    except OSError as error:
        raise refuse(name, f"the file can't be read: {error.strerror}") from error
    return cert, key


def parse_host(text: str) -> str:
    """What goes before a repository's name in `docker pull`: a host, maybe a port, maybe a path."""
    if not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._/-]+)?|\[[0-9a-fA-F:.]+\](:[0-9]+)?", text):
        raise ValueError("must be a host such as registry.example.com:5000, without https://")
    return text.rstrip("/")


def parse_token(text: str) -> str:
    """A secret that fits into a header as it is."""
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError("must be of visible ASCII characters, without spaces")
    return text


def parse_names(text: str) -> Names:
    """The names of repositories, and the prefixes, which end in / and are returned without it; each once."""
    names, under = list[str](), list[str]()
    for at, entry in enumerate(filter(None, re.split(r"[\s,]+", text)), start=1):
        prefix = entry.endswith(("/", "/*"))
        name = entry.removesuffix("*").removesuffix("/") if prefix else entry
        try:
            oci.check_repository(name)
        except oci.InvalidName:
            what = "must hold names such as team/app and prefixes such as team/"
            raise ValueError(f"{what}, which entry {at} is not") from None
        (under if prefix else names).append(name)
    return tuple(dict.fromkeys(names)), tuple(dict.fromkeys(under))
