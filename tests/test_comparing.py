"""A secret is compared in a time that doesn't tell how much of it was right."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import regui

PACKAGE = Path(regui.__file__).parent
SECRET = re.compile(
    r"(^|_)(secret|token|password|passphrase|signature|authorization|hashed)s?($|_)", re.IGNORECASE
)
# What is called like one and isn't, as it stands in which file.
NO_SECRETS = {
    "accounts/ldap.py": {"'\\x00' in name + password"},
    "accounts/oidc/discovery.py": {"origin(authorization) not in provider.origins"},
    # Names of tokens, as the journal has them.
    "accounts/standing.py": {"TOKEN in name", "tokens.called(row) == name"},
    "directories.py": {"bool(found.bind_dn) != bool(found.bind_password)"},
    # Of two that regui itself holds, to find a connection again.
    "index/connect.py": {
        "(record.username, record.password) == (credentials.username, credentials.password)"
    },
    "oci/auth.py": {"len(self._tokens) > CACHED"},
    "oci/blobs.py": {"hashed.hexdigest() != digest.hex"},
    "settings.py": {"bool(ADMIN_USERNAME) != bool(ADMIN_PASSWORD)"},
}


def mentions(node: ast.AST) -> bool:
    """Whether a part of a comparison has the name of a secret."""
    for one in ast.walk(node):
        name = one.id if isinstance(one, ast.Name) else one.attr if isinstance(one, ast.Attribute) else ""
        if SECRET.search(name):
            return True
    return False


def comparisons(source: str) -> Iterator[str]:
    """Yield where something with the name of a secret is compared by an operator; save to ask whether there
    is one at all."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            nothing = any(isinstance(side, ast.Constant) and side.value in {"", None} for side in sides)
            if not nothing and any(map(mentions, sides)):
                yield ast.unparse(node)


def test_no_secret_is_compared_by_an_operator() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): set(comparisons(path.read_text(encoding="utf-8")))
        for path in PACKAGE.rglob("*.py")
    }
    assert {path: some for path, some in found.items() if some} == NO_SECRETS


@pytest.mark.parametrize(
    "source", ["given == token", "row.password != it", "x in api_tokens", "a == f(secret)"]
)
def test_one_would_be_found(source: str) -> None:
    assert list(comparisons(source)) == [source]
