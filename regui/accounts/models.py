"""People, what they were granted, tokens that stand for them, and what was done to all of that."""

from datetime import datetime
from typing import Self

from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.db.models import Q

from regui.accounts.access import ANY, Role
from regui.patterns import ANYWHERE, LONGEST_REPOSITORY

ROLES = [(role.value, role.value) for role in Role]


class User(AbstractUser):
    """A person with an account."""


class Grant(models.Model):
    """A role for one person, one group, or everyone who has signed in, over the repositories of a pattern.

    Registries are kept by name, for grants outlive the index's rows.
    """

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="grants")
    group = models.ForeignKey(Group, models.CASCADE, null=True, related_name="grants")
    registry = models.CharField(max_length=64, default=ANY, help_text="a registry's name; * is any")
    pattern = models.CharField(max_length=LONGEST_REPOSITORY, default=ANYWHERE)
    role = models.CharField(max_length=16, choices=ROLES)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200, help_text="an actor's name")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(user=None) | Q(group=None), name="grant_one_holder"),
            # Once each: of two that say the same of the same, taking one away would change nothing.
            *(
                models.UniqueConstraint(
                    fields=[*holder, "registry", "pattern", "role"], condition=condition, name=name
                )
                for name, holder, condition in (
                    ("grant_once_user", ["user"], Q(group=None, user__isnull=False)),
                    ("grant_once_group", ["group"], Q(user=None, group__isnull=False)),
                    ("grant_once_everyone", [], Q(user=None, group=None)),
                )
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder}: {self.role} of {self.registry}/{self.pattern}"

    @property
    def holder(self) -> str:
        """Whom it was given to, in words."""
        if self.user:
            return self.user.username
        return f"group {self.group.name}" if self.group else "everyone who signed in"


class TokenQuerySet(models.QuerySet["Token"]):
    def good(self, now: datetime) -> Self:
        """Tokens that open anything: not revoked, not past their time, of nobody who may not sign in."""
        alive = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(alive, Q(owner=None) | Q(owner__is_active=True), revoked_at=None)


class Token(models.Model):
    """A secret that a program shows instead of signing in. With an owner it stands for that person, within
    its scope; without one it is a robot, whose scope is all it has. The secret itself isn't kept."""

    owner = models.ForeignKey(User, models.CASCADE, null=True, related_name="tokens")
    name = models.CharField(max_length=100)
    hint = models.CharField(max_length=16, help_text="how the secret begins, to tell it by")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret, in hex")
    registry = models.CharField(max_length=64, default=ANY)
    pattern = models.CharField(max_length=LONGEST_REPOSITORY, default=ANYWHERE)
    role = models.CharField(max_length=16, choices=ROLES)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    used_from = models.CharField(max_length=64, blank=True)
    revoked_at = models.DateTimeField(null=True)

    objects = TokenQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class AuditEntry(models.Model):
    """Something that was done to who may do what, or by whom regui was entered."""

    class What(models.TextChoices):
        SIGNED_IN = "signed-in", "signed in"
        SIGN_IN_FAILED = "sign-in-failed", "failed to sign in"
        SIGNED_OUT = "signed-out", "signed out"
        PERSON_ADDED = "person-added", "added a person"
        PERSON_CHANGED = "person-changed", "changed a person"
        PERSON_REMOVED = "person-removed", "removed a person"
        GROUPS_CHANGED = "groups-changed", "changed groups"
        GRANT_ADDED = "grant-added", "granted"
        GRANT_REMOVED = "grant-removed", "took away"
        TOKEN_MADE = "token-made", "made a token"
        TOKEN_REVOKED = "token-revoked", "revoked a token"
        PASSWORD_CHANGED = "password-changed", "changed a password"
        SECOND_FACTOR_CHANGED = "second-factor-changed", "changed a second factor"
        REGISTRY_ADDED = "registry-added", "added a registry"
        REGISTRY_CHANGED = "registry-changed", "changed a registry"
        REGISTRY_HIDDEN = "registry-hidden", "hid a registry"

    at = models.DateTimeField()
    what = models.CharField(max_length=24, choices=What)
    who = models.CharField(max_length=200, help_text="an actor's name, as in the journal of actions")
    address = models.CharField(max_length=64, blank=True)
    about = models.CharField(max_length=300, blank=True, help_text="whom or what it was done to, by name")
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-at", "-id"], name="audit_newest")]
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.who} {self.get_what_display()} {self.about}".rstrip()


class Identity(models.Model):
    """Somebody whom another place knows: a provider, a directory, a proxy. It is by this alone that they are
    known again; neither a name nor an address makes anybody the same person.

    `groups` are those they are in because that place says so, and leave when it says so no more.
    """

    class Source(models.TextChoices):
        OIDC = "oidc", "single sign-on"
        LDAP = "ldap", "directory"
        PROXY = "proxy", "proxy"

    user = models.OneToOneField(User, models.CASCADE, related_name="identity")
    source = models.CharField(max_length=8, choices=Source)
    subject = models.CharField(max_length=600, help_text="what they are there, for good")
    groups = models.ManyToManyField(Group, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "subject"], name="identity_once")]

    def __str__(self) -> str:
        return f"{self.user.username} by {self.source}"
