"""Where people come from besides our own table: an OpenID Connect provider, an LDAP directory."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.util import find_spec
from urllib.parse import urlsplit

from regui import mapping
from regui.bind import is_loopback
from regui.env import Env, parse_url, refuse
from regui.registries import authority

SCOPES = ("openid", "profile", "email")
NONE_NAMED: tuple[str, ...] = ()
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, section 3.3
ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
NAME = "%(user)s"
# By what is set: the class of a group's entry. An Active Directory is asked for groups in groups, too.
GROUP_CLASSES = {
    "groupofnames": "groupOfNames",
    "groupofuniquenames": "groupOfUniqueNames",
    "posix": "posixGroup",
    "activedirectory": "group",
}


@dataclass(frozen=True)
class Oidc:
    """An OpenID Connect provider. `issuer` is as written, since what it signs must say just that; `origins`
    are those a browser may be sent to for signing in. Empty allow-lists let everybody in."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    name: str = "single sign-on"
    scopes: tuple[str, ...] = SCOPES
    groups_claim: str = "groups"
    groups: mapping.Mapping = mapping.NONE
    allowed_groups: tuple[str, ...] = ()
    allowed_domains: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    ca_file: str = ""
    session_age: timedelta = timedelta(hours=12)


@dataclass(frozen=True)
class Ldap:
    """An LDAP directory, and where in it people and groups are."""

    url: str
    user_base: str
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    name_attribute: str = "uid"
    user_filter: str = f"(uid={NAME})"
    group_base: str = ""
    group_type: str = "groupofnames"
    group_filter: str = "(objectClass=groupOfNames)"
    groups: mapping.Mapping = mapping.NONE
    allowed_groups: tuple[str, ...] = ()
    start_tls: bool = False
    ca_file: str = ""
    timeout: timedelta = timedelta(seconds=5)
    session_age: timedelta = timedelta(hours=12)


def oidc(env: Env) -> Oidc | None:
    """The provider that the environment names; None without one."""
    issuer = env.parsed("REGUI_OIDC_ISSUER", "", parse_issuer)
    client, secret = env.text("REGUI_OIDC_CLIENT_ID"), env.secret("REGUI_OIDC_CLIENT_SECRET").strip()
    found = Oidc(
        issuer=issuer,
        client_id=client,
        client_secret=secret,
        name=env.text("REGUI_OIDC_NAME", "single sign-on"),
        scopes=env.parsed("REGUI_OIDC_SCOPES", SCOPES, parse_scopes),
        groups_claim=env.text("REGUI_OIDC_GROUPS_CLAIM", "groups"),
        groups=env.parsed("REGUI_OIDC_GROUPS", mapping.NONE, mapping.parse),
        allowed_groups=mapping.names(env.text("REGUI_OIDC_ALLOWED_GROUPS")),
        allowed_domains=env.parsed("REGUI_OIDC_ALLOWED_DOMAINS", NONE_NAMED, parse_domains),
        origins=(*origins(issuer), *env.parsed("REGUI_OIDC_ORIGINS", NONE_NAMED, origins)),
        ca_file=authority(env, "REGUI_OIDC"),
        session_age=env.duration("REGUI_OIDC_SESSION_AGE", "12h"),
    )
    if not issuer:
        for name, value in {"REGUI_OIDC_CLIENT_ID": client, "REGUI_OIDC_CLIENT_SECRET": secret}.items():
            if value:
                raise refuse("REGUI_OIDC_ISSUER", f"must be set along with {name}")
        return None
    if not client:
        raise refuse("REGUI_OIDC_CLIENT_ID", "must be set along with REGUI_OIDC_ISSUER")
    if found.session_age <= timedelta():
        raise refuse("REGUI_OIDC_SESSION_AGE", "must be longer than nothing")
    return found


def ldap(env: Env) -> Ldap | None:
    """The directory that the environment names; None without one. Refused when what speaks with it isn't
    installed."""
    url, bind_dn = env.parsed("REGUI_LDAP_URL", "", parse_ldap_url), env.text("REGUI_LDAP_BIND_DN")
    attribute = env.parsed("REGUI_LDAP_NAME_ATTRIBUTE", "uid", parse_attribute)
    kind = env.choice("REGUI_LDAP_GROUP_TYPE", tuple(GROUP_CLASSES)) or "groupofnames"
    standard = f"(objectClass={GROUP_CLASSES[kind]})"
    found = Ldap(
        url=url,
        user_base=env.text("REGUI_LDAP_USER_BASE"),
        bind_dn=bind_dn,
        bind_password=env.secret("REGUI_LDAP_BIND_PASSWORD"),
        name_attribute=attribute,
        user_filter=env.parsed("REGUI_LDAP_USER_FILTER", f"({attribute}={NAME})", parse_user_filter),
        group_base=env.text("REGUI_LDAP_GROUP_BASE"),
        group_type=kind,
        group_filter=env.parsed("REGUI_LDAP_GROUP_FILTER", standard, parse_group_filter),
        groups=env.parsed("REGUI_LDAP_GROUPS", mapping.NONE, mapping.parse),
        allowed_groups=mapping.names(env.text("REGUI_LDAP_ALLOWED_GROUPS")),
        start_tls=env.flag("REGUI_LDAP_START_TLS", default=False),
        ca_file=authority(env, "REGUI_LDAP"),
        timeout=env.duration("REGUI_LDAP_TIMEOUT", "5s"),
        session_age=env.duration("REGUI_LDAP_SESSION_AGE", "12h"),
    )
    if not url:
        return None
    check(found)
    return found


def check(found: Ldap) -> None:
    """Nothing, when such a directory can be asked; else the refusal that says what is missing."""
    if find_spec("django_auth_ldap") is None:
        raise refuse("REGUI_LDAP_URL", 'needs what isn\'t installed: pip install "regui[ldap]"')
    if not found.user_base:
        raise refuse("REGUI_LDAP_USER_BASE", "must say below which entry people are")
    if bool(found.bind_dn) != bool(found.bind_password):
        missing = "REGUI_LDAP_BIND_DN" if found.bind_password else "REGUI_LDAP_BIND_PASSWORD"
        raise refuse(missing, "REGUI_LDAP_BIND_DN and REGUI_LDAP_BIND_PASSWORD must be set together")
    if (found.groups or found.allowed_groups) and not found.group_base:
        raise refuse("REGUI_LDAP_GROUP_BASE", "must say below which entry groups are, since some are named")
    if found.start_tls and found.url.startswith("ldaps:"):
        raise refuse("REGUI_LDAP_START_TLS", "must be off with ldaps, which is encrypted from the beginning")
    if not (found.start_tls or found.url.startswith("ldaps:") or is_loopback(host(found.url))):
        raise refuse("REGUI_LDAP_START_TLS", "must be on, or passwords would cross the network in clear")
    if not timedelta() < found.timeout <= timedelta(minutes=1):
        raise refuse("REGUI_LDAP_TIMEOUT", "must be from 1s to 1m")
    if found.session_age <= timedelta():
        raise refuse("REGUI_LDAP_SESSION_AGE", "must be longer than nothing")


def host(url: str) -> str:
    return urlsplit(url).hostname or ""


def secure(url: str) -> bool:
    """Whether what is sent to that address can be read by nobody else: by TLS, or within this machine."""
    return bool(host(url)) and (
        url.startswith("https://") or (url.startswith("http://") and is_loopback(host(url)))
    )


def parse_issuer(text: str) -> str:
    """An issuer, letter by letter: a slash at its end is part of its name."""
    parse_url(text)
    if not secure(text):
        raise ValueError("must begin with https://, except on this machine itself")
    return text


def origins(text: str) -> tuple[str, ...]:
    """The origins of addresses with commas or white space between them; ValueError for what is no address."""
    found: dict[str, None] = {}
    for word in filter(None, re.split(r"[\s,]+", text)):
        parts = urlsplit(parse_url(word))
        if not re.fullmatch(r"[A-Za-z0-9.:\[\]_-]+", parts.netloc):
            raise ValueError("must hold addresses such as https://id.example.com")
        found.setdefault(f"{parts.scheme}://{parts.netloc}")
    return tuple(found)


def parse_scopes(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(re.split(r"[\s,]+", text)))
    if not all(SCOPE.fullmatch(word) for word in words) or "openid" not in words:
        raise ValueError("must be words such as openid profile email, openid among them")
    return words


def parse_domains(text: str) -> tuple[str, ...]:
    """Domains in lower case, with or without the @ before them."""
    found = tuple(name.removeprefix("@").lower() for name in re.split(r"[\s,]+", text) if name)
    if not all(DOMAIN.fullmatch(domain) for domain in found):
        raise ValueError("must hold domains of e-mail addresses such as example.com")
    return found


def parse_ldap_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("must be an address such as ldaps://ldap.example.com") from None
    odd = parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname or odd or " " in text:
        raise ValueError("must be an address such as ldaps://ldap.example.com, without a path")
    return text.rstrip("/")


def parse_attribute(text: str) -> str:
    if not ATTRIBUTE.fullmatch(text):
        raise ValueError("must be the name of an attribute such as uid or sAMAccountName")
    return text


def parse_group_filter(text: str) -> str:
    """A filter without `%`, by which filters are put together."""
    if "%" in parse_filter(text):
        raise ValueError("must be a filter without %")
    return text


def parse_filter(text: str) -> str:
    if not (text.startswith("(") and text.endswith(")") and text.count("(") == text.count(")")):
        raise ValueError("must be a filter in parentheses such as (objectClass=groupOfNames)")
    return text


def parse_user_filter(text: str) -> str:
    """A filter with the place where the name goes, and no other use of `%`."""
    parse_filter(text)
    if NAME not in text or "%" in text.replace(NAME, ""):
        raise ValueError(f"must be a filter with {NAME} where the name goes, such as (uid={NAME})")
    return text
