"""Settings for the places that vouch for people in the tests."""

from regui import directories
from regui.env import Env
from tests import provider
from tests.provider import Provider


def accepted(one: Provider, **more: str) -> directories.Oidc:
    """The settings for that provider."""
    values = {
        "REGUI_OIDC_ISSUER": one.url,
        "REGUI_OIDC_CLIENT_ID": provider.CLIENT,
        "REGUI_OIDC_CLIENT_SECRET": provider.SECRET,
    }
    found = directories.oidc(Env(values | more))
    assert found
    return found
