"""Passwords of people who are known here."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest


class Passwords(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """Tries each password once, whatever was typed as the name. An address that stands for the name too would
    be looked up by both, and the time that a second try takes would tell that somebody has it."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> AbstractBaseUser | None:
        if credentials.get("email") and credentials.get("username"):
            del credentials["email"]
        found: AbstractBaseUser | None = super().authenticate(request, **credentials)
        return found
