"""Whatever is sealed is known to `regui reseal`, or is lost when the key before is no longer named."""

import ast
from pathlib import Path

from django.apps import apps

from regui import sealed

# Lie in sessions, which end: what is lost of them is entered again.
PASSING = {"OWN_CREDENTIALS"}
PURPOSES = {name for name, value in vars(sealed).items() if name.isupper() and isinstance(value, str)}


def sealing() -> dict[str, str]:
    """The purposes that anything is sealed for anywhere, as they are written, and the files that do."""
    found = {}
    for path in Path("regui").rglob("*.py"):
        if path.name in {"sealed.py", "secrets.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("secrets.seal"):
                found[ast.unparse(node.args[1])] = str(path)
    return found


def test_each_purpose_that_something_is_sealed_for_has_its_place() -> None:
    used = {purpose.removeprefix("sealed."): path for purpose, path in sealing().items()}
    assert used.keys() <= PURPOSES, "a purpose stands in sealed.py, beside its place"
    places = {place.purpose for place in sealed.PLACES}
    assert {getattr(sealed, name) for name in used.keys() - PASSING} == places


def test_each_column_that_says_it_is_sealed_has_its_place() -> None:
    columns = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if str(getattr(field, "help_text", "")).startswith("sealed")
    }
    # Those with keys hold other things too, in tables of others.
    assert columns == {(place.model, place.field) for place in sealed.PLACES if not place.keys}
