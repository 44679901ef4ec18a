"""Where the database holds sealed values, and how they follow the secret key when that changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models, transaction

from regui import secrets

# What values are sealed for; a value opens for no other purpose.
REGISTRY_PASSWORD, REGISTRY_KEY = "registry password", "registry client key"
OWN_CREDENTIALS, CARRIED = "a person's registry credentials", "credentials of an action"
SECOND_FACTORS = "second factors"


@dataclass(frozen=True)
class Place:
    """A column of sealed values. The model is named as "app.Model". With `keys` the column is JSON, an object
    in which sealed values, or lists of them, stand under these keys."""

    model: str
    field: str
    purpose: str
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.model} {self.field}"


# Whoever keeps something sealed adds its place, or it is lost when the key before is no longer named.
PLACES = (
    Place("index.Entry", "password", REGISTRY_PASSWORD),
    Place("index.Entry", "key", REGISTRY_KEY),
    Place("actions.Action", "credentials", CARRIED),
    Place("mfa.Authenticator", "data", SECOND_FACTORS, keys=("secret", "seed")),
)


@dataclass
class Count:
    """How many rows of a place were sealed anew, how many were of today's key already, and which ones can't
    be opened, as their models name them."""

    place: Place
    anew: int
    current: int
    unopened: list[str]


def reseal(places: tuple[Place, ...] = PLACES) -> Iterator[Count]:
    """Seal with today's key what an earlier one sealed; what came of it, place by place.

    Each row is written on its own. So after an end in the middle one may begin again, and what people change
    meanwhile stays as they changed it. What can't be opened is left as it is."""
    for place in places:
        count, rows = Count(place, 0, 0, []), apps.get_model(place.model)._base_manager.all()
        for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
            anew(place, rows.filter(pk=pk), count)
        yield count


def anew(place: Place, row: models.QuerySet[Any], count: Count) -> None:
    """Do it for one row, unless somebody has just taken it away."""
    with transaction.atomic():
        found = row.select_for_update().first()
        if found is None:
            return
        before = getattr(found, place.field)
        try:
            after = resealed(place, before)
        except secrets.Unopened:
            count.unopened.append(str(found))
            return
        if after == before:
            count.current += bool(before)
            return
        row.update(**{place.field: after})
        count.anew += 1


def resealed(place: Place, value: Any) -> Any:
    """What the column is to hold; the same value when nothing in it is to be sealed anew."""
    if place.keys and isinstance(value, dict):
        return value | {key: each(place, value[key]) for key in place.keys if key in value}
    return each(place, value)


def each(place: Place, value: Any) -> Any:
    """The same for one sealed value, or several."""
    if isinstance(value, list):
        return [each(place, one) for one in value]
    if not isinstance(value, str) or secrets.is_current(value, place.purpose):
        return value
    return secrets.seal(secrets.unseal(value, place.purpose), place.purpose)
