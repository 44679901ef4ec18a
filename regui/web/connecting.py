"""How a registry is reached, as a person enters it: the form, what is wrong with it, and what it comes to."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import urlsplit

from django.http import QueryDict

from regui import oci
from regui.env import parse_url
from regui.index import book
from regui.index.models import Entry
from regui.registries import RegistrySettings, check_name, parse_host

# Characters. Some registries take a whole key file for a password.
LONGEST = {"name": 32, "url": 500, "username": 255, "password": 10_000, "pull_host": 255}
LONGEST |= {"ca": 500_000, "cert": 100_000, "key": 100_000}
# What the journal calls the fields, and what an edit touches is told by.
WORDS = {
    "url": "address",
    "username": "user name",
    "password": "password",
    "verify": "checking of certificates",
    "ca": "authorities",
    "cert": "client certificate",
    "key": "private key",
    "pull_host": "pull host",
    "own": "whose credentials are used",
}
PRIVATE = "PRIVATE KEY"


@dataclass(frozen=True)
class Form:
    """What was typed. The secrets among it are never put on a page; an empty one leaves what is kept, unless
    it is to be dropped."""

    name: str = ""
    url: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    cert: str = ""
    key: str = field(default="", repr=False)
    pull_host: str = ""
    verify: bool = True
    own: bool = False
    drop_password: bool = False
    drop_key: bool = False

    @classmethod
    def of(cls, sent: QueryDict) -> Self:
        """What was sent, without what no database takes."""

        def text(name: str) -> str:
            return sent.get(name, "").replace("\0", "").replace("\r\n", "\n")

        return cls(
            name=text("name").strip(),
            url=text("url").strip(),
            username=text("username").strip(),
            password=text("password"),
            ca=text("ca").strip(),
            cert=text("cert").strip(),
            key=text("key").strip(),
            pull_host=text("pull_host").strip(),
            verify="unverified" not in sent,
            own="own" in sent,
            drop_password="drop_password" in sent,
            drop_key="drop_key" in sent,
        )

    @classmethod
    def showing(cls, entry: Entry) -> Self:
        """What was entered before, but for the secrets."""
        return cls(
            name=entry.name,
            url=entry.url,
            username=entry.username,
            ca=entry.ca,
            cert=entry.cert,
            pull_host=entry.pull_host,
            verify=entry.verify,
            own=entry.own,
        )

    def record(self, kept: RegistrySettings | None = None) -> RegistrySettings:
        """What it comes to, with the secrets that are kept where none were typed."""
        password, key = self.password, self.key
        if kept and not password and not self.drop_password:
            password = kept.password
        if kept and not key and not self.drop_key:
            key = kept.key
        return RegistrySettings(
            name=kept.name if kept else self.name,
            url=self.url.rstrip("/"),
            username=self.username,
            password=password if self.username else "",
            verify=self.verify,
            pull_host=self.pull_host.rstrip("/"),
            own=self.own,
            prefix="",
            ca=self.ca,
            cert=self.cert,
            key=key if self.cert else "",
        )


@dataclass(frozen=True)
class Draft:
    """A form about a registry that is new, or that the address book has an entry of."""

    form: Form
    entry: Entry | None = None

    @property
    def kept(self) -> RegistrySettings | None:
        return book.read(self.entry) if self.entry else None

    @property
    def record(self) -> RegistrySettings:
        return self.form.record(self.kept)

    @property
    def detailed(self) -> bool:
        """Whether it says more than most do."""
        form = self.form
        return bool(form.ca or form.cert or form.pull_host or not form.verify)

    @property
    def moved(self) -> bool:
        """Whether it is about another address than before."""
        return self.entry is not None and self.entry.url != self.record.url

    @property
    def lost(self) -> dict[str, str]:
        """The secrets that are kept and can't be opened any more, with what to say beside their fields."""
        kept, entry = self.kept, self.entry
        if kept is None or entry is None:
            return {}
        words = "The one that is kept can't be opened any more: enter it again, or have it removed."
        secrets = {"password": (entry.password, kept.password), "key": (entry.key, kept.key)}
        return {name: words for name, (sealed, opened) in secrets.items() if sealed and not opened}

    @property
    def changes(self) -> str:
        """What would be another than before, in words."""
        before, after = self.kept, self.record
        fields = [name for name in WORDS if before and getattr(before, name) != getattr(after, name)]
        return ", ".join(WORDS[name] for name in fields)

    def faults(self) -> dict[str, str]:
        """What is wrong, by field; nothing when a registry can be reached as it says."""
        found = named(self.form.name) if self.entry is None else {}
        for name, longest in LONGEST.items():
            if len(getattr(self.form, name)) > longest:
                found[name] = f"This is longer than {longest:,} characters."
        return found | certified(self.form, self.record) | self.placed() | self.secret()

    def placed(self) -> dict[str, str]:
        """What is wrong with the addresses."""
        parsers: dict[str, Callable[[str], str]] = {"url": parse_url, "pull_host": parse_host}
        found = {}
        for name, parse in parsers.items():
            text = getattr(self.form, name)
            try:
                if text or name == "url":
                    parse(text)
            except ValueError as error:
                found[name] = f"This {error}."
        return found

    def secret(self) -> dict[str, str]:
        """What is wrong with the secrets."""
        form, entry, found = self.form, self.entry, dict[str, str]()
        if form.password and not form.username:
            found["username"] = "This must be filled in along with a password."
        if ":" in form.username:
            found["username"] = "This can have no colon: the password begins behind one."
        if entry is None:
            return found
        keeps = {
            "password": form.username and not form.password and not form.drop_password,
            "key": form.cert and not form.key and not form.drop_key,
        }
        found |= {name: words for name, words in self.lost.items() if keeps[name]}
        # Else who may change the address could have the password sent to themselves.
        if keeps["password"] and entry.password and origin(form.url) != origin(entry.url):
            found["password"] = (
                f"The password that is kept was entered for {entry.url}: enter it again for this address, or "
                "have it removed."
            )
        return found


def named(name: str) -> dict[str, str]:
    """What is wrong with the name of a new registry."""
    try:
        check_name(name)
    except ValueError as error:
        words = str(error)
        return {"name": f"{words[0].upper()}{words[1:]}."}
    if record := book.given(name):
        return {"name": f"{record.prefix}_URL names a registry {name} already."}
    entry = Entry.objects.filter(name=name).first()
    if entry is None:
        return {}
    return {"name": f"There is a registry {name} already{', which is hidden' if entry.hidden else ''}."}


def certified(form: Form, record: RegistrySettings) -> dict[str, str]:
    """What is wrong with the certificates."""
    found = {}
    for name in ("ca", "cert"):
        if PRIVATE in getattr(form, name):
            found[name] = "This holds a private key, which has a field of its own."
    if form.ca and not form.verify:
        found["ca"] = "This has no meaning while any certificate is accepted."
    if form.key and not form.cert:
        found["cert"] = "This must be filled in along with a private key."
    if form.cert and not record.key:
        found["key"] = "This must be filled in along with a client certificate."
    if found:
        return found
    try:
        if form.ca:
            oci.check_authorities(oci.Pem(form.ca))
    except oci.BadCertificate:
        found["ca"] = "This must hold certificates in PEM format."
    try:
        if form.cert:
            oci.check_identity(oci.Pem(f"{record.cert}\n{record.key}"))
    except oci.BadCertificate:
        found["cert"] = (
            "This and the private key must belong together, both in PEM format, the key without a password."
        )
    return found


def origin(url: str) -> tuple[str, str]:
    """What must stay the same for a password to go to the same place."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc.lower()


def without_secrets(draft: Draft) -> Draft:
    """The same to be shown again."""
    return replace(draft, form=replace(draft.form, password="", key=""))
