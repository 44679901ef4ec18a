"""The questions that the page of grants answers: what somebody can do in one place and why, and who can."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import Group

from regui import oci
from regui.accounts import access, explaining, grants, people
from regui.accounts.access import Actor
from regui.accounts.explaining import Answer
from regui.accounts.grants import Wrong
from regui.accounts.models import User
from regui.index.models import Registry
from regui.web import granting
from regui.web.forms import cleaned

RIGHTS = {right.name.lower(): right for right in explaining.WORDS}
# How many names stand beside the grant that makes them able.
NAMED = 20


@dataclass(frozen=True)
class Able:
    """Those who can because of one grant; without it, because of what everybody is."""

    grant: access.Grant | None
    names: tuple[str, ...]

    @property
    def because(self) -> str:
        return explaining.sentence(self.grant) if self.grant else "Everybody here is."

    @property
    def first(self) -> tuple[str, ...]:
        return self.names[:NAMED]

    @property
    def more(self) -> int:
        return len(self.names) - len(self.first)


@dataclass(frozen=True)
class Question:
    """What was asked: what somebody can do there, or, with `can`, who has that right there."""

    kind: str = granting.PERSON
    who: str = ""
    registry: str = ""
    repository: str = ""
    can: str = ""

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "Question":
        found = {name: cleaned(fields.get(name, "")) for name in cls.__dataclass_fields__}
        return cls(**found | {"kind": found["kind"] or granting.PERSON})

    @property
    def asked(self) -> bool:
        """Whether anything was."""
        return bool(self.who or self.repository or self.can)

    @cached_property
    def faults(self) -> dict[str, str]:
        """What is wrong with it, by field; nothing while nothing was asked."""
        try:
            if self.asked:
                self.check()
        except Wrong as error:
            return granting.fault(error)
        return {}

    def check(self) -> None:
        """Nothing, or Wrong. The repository needn't be there, nor the registry any more."""
        if not self.can:
            granting.whom(self.kind, self.who)
        elif self.can not in RIGHTS:
            raise Wrong("can", "must be one of those offered")
        if not Registry.objects.filter(name=self.registry).exists():
            raise Wrong("registry", "must be the name of a registry")
        try:
            oci.check_repository(self.repository)
        except oci.InvalidName as error:
            raise Wrong("repository", "must be the name of one repository, such as team/app") from error

    @property
    def answer(self) -> Answer | None:
        """What they can do, and why; None when that wasn't asked, or can't be told."""
        if not self.asked or self.can or self.faults:
            return None
        actor = asking(self.kind, self.who)
        return explaining.explain(actor, self.registry, self.repository)

    @property
    def disabled(self) -> bool:
        """Whether it is about somebody who may not sign in, so that nothing of theirs counts."""
        named = User.objects.filter(username=self.who, is_active=False)
        return self.kind == granting.PERSON and named.exists()

    @property
    def able(self) -> list[Able] | None:
        """Who can, by the grants that make them; None when that wasn't asked, or can't be told."""
        if not self.can or self.faults:
            return None
        found = grants.able(RIGHTS[self.can], self.registry, self.repository)
        return [Able(grant, tuple(names)) for grant, names in found.items()]

    @property
    def word(self) -> str:
        """The right that was asked for."""
        return explaining.WORDS[RIGHTS[self.can]]

    @property
    def visitors(self) -> bool:
        """Whether those can who haven't signed in."""
        return RIGHTS[self.can] in access.RIGHTS[people.everyone()]


def asking(kind: str, name: str) -> Actor:
    """The one who is asked about, as one who asks. Wrong when nobody is meant."""
    holder = granting.whom(kind, name)
    if isinstance(holder, User):
        return people.actor_of(holder)
    if kind == granting.VISITOR:
        return Actor("A visitor", people.everyone(), visitor=True)
    who = f"Somebody in {holder.name}" if isinstance(holder, Group) else "Somebody who has signed in"
    return Actor(who, people.everyone(), grants=grants.of_group(holder))
