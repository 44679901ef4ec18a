"""Tokens as their pages show them: whose there are, and the form for one more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.paginator import Page
from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse

from regui.accounts import access, tokens, wishes
from regui.accounts.access import Role
from regui.accounts.models import Token, TokenQuerySet, User
from regui.accounts.wishes import Wish
from regui.patterns import ANYWHERE
from regui.web.forms import cleaned
from regui.web.http import Request

# What each role is good for, in as many words as a choice has room for.
GIVES = {
    Role.READER: "see",
    Role.DEVELOPER: "see, set tags, copy",
    Role.MAINTAINER: "see, set tags, copy, delete, restore",
    Role.ADMIN: "everything, registries and people too",
    Role.AUDITOR: "see all, and who did what; change nothing",
}


@dataclass(frozen=True)
class Row:
    """A token in a list."""

    token: Token
    now: datetime

    @property
    def name(self) -> str:
        return tokens.called(self.token)

    @property
    def scope(self) -> str:
        return tokens.in_words(tokens.scope_of(self.token))

    @property
    def over(self) -> str:
        """Why it opens nothing any more; empty while it does."""
        if self.token.has_expired(self.now):
            return "expired"
        return "owner disabled" if self.token.owner and not self.token.owner.is_active else ""


@dataclass(frozen=True)
class Form:
    """The form for a new token: what was typed, what there is to choose from, and what was wrong."""

    wish: Wish
    roles: Sequence[Role]
    registries: Sequence[str]
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def choices(self) -> list[tuple[str, str]]:
        return [(role.value, GIVES[role]) for role in self.roles]

    @property
    def lives(self) -> list[tuple[str, str]]:
        return wishes.lives()

    @property
    def pattern(self) -> str:
        """What stands in the field: nothing for every repository."""
        return "" if self.wish.pattern == ANYWHERE else self.wish.pattern


@dataclass(frozen=True)
class Keyring:
    """What a page of tokens is about: those of one person, or robots with everybody's; and who looks at
    it."""

    request: Request
    owner: User | None

    @property
    def mine(self) -> bool:
        return self.owner is not None

    @property
    def address(self) -> str:
        return reverse("tokens" if self.mine else "robots")

    @property
    def make(self) -> str:
        return reverse("tokens-make" if self.mine else "robots-make")

    @property
    def example(self) -> str:
        """Where a program could show that its token is good."""
        here = urlsplit(settings.URL or self.request.build_absolute_uri())
        return f"{here.scheme}://{here.netloc}{reverse('home')}api/v1/registries"

    @property
    def rows(self) -> TokenQuerySet:
        """The tokens that weren't revoked, the newest first."""
        rows = Token.objects.filter(revoked_at=None).select_related("owner").order_by("-created_at", "-pk")
        return rows.filter(owner=self.owner) if self.owner else rows

    def found(self, text: str) -> TokenQuerySet:
        """Those whose name, owner or first characters have the text in them."""
        some = Q(name__icontains=text) | Q(owner__username__icontains=text) | Q(hint__startswith=text)
        return self.rows.filter(some) if text else self.rows

    def form(self, given: QueryDict | None = None) -> Form:
        """The form, as it was sent or for the first time."""
        actor = self.request.actor
        roles = wishes.offered(actor) if self.mine else list(wishes.ROLES)
        registries = [row.name for row in access.registries(actor)]
        if given is None:
            lives = [life for life, _ in wishes.lives()]
            usual = wishes.LIVES[1] if wishes.LIVES[1] in lives else lives[0]
            return Form(Wish(role=Role.READER.value, life=usual), roles, registries)
        wish = asked(given)
        return Form(wish, roles, registries, wishes.faults(wish, self.owner, roles, registries))


def asked(given: QueryDict) -> Wish:
    """What a form asks for; a pattern left empty means every repository."""
    said: dict[str, Any] = {name: cleaned(given.get(name, "")) for name in ("name", "role", "life")}
    return Wish(
        **said,
        registry=cleaned(given.get("registry", access.ANY)),
        pattern=cleaned(given.get("pattern", "")) or ANYWHERE,
    )


def listed(page: Page[Token], now: datetime) -> list[Row]:
    return [Row(token, now) for token in page]
