"""Fakes that ask who is there: by Basic, or with a token server of their own."""

from collections.abc import Callable
from urllib.parse import parse_qs

from regui import oci
from tests.fake import Fake
from tests.memory import Ask, Out, error, out

NAME = "team/app"
DIGEST = oci.Digest.of(b"x")
ALICE = oci.Credentials("alice", "pä:ss wörd")
METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE")


class TokenFake(Fake):
    """A token server that says yes to everything: the token holds the scopes it was asked for."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.lifetime: object = 300
        self.on("GET", "/token", self.token)

    def token(self, ask: Ask) -> Out:
        scopes = parse_qs(ask.raw_query).get("scope", [])
        answer = {"token": f"{len(self.seen)}!{'!'.join(sorted(scopes))}"}
        return out(200, answer | ({"expires_in": self.lifetime} if self.lifetime is not None else {}))


def asks_for_tokens(fake: Fake, tokens: Fake, enough: Callable[[str, Ask], bool] | None = None) -> None:
    """Have the fake ask for a token with the scope that distribution wants for such a request."""

    def guard(ask: Ask) -> Out | None:
        scheme, _, token = ask.headers.get("Authorization", "").partition(" ")
        fits = enough or (lambda token, ask: wanted(ask) in token.split("!"))
        if scheme == "Bearer" and fits(token, ask):
            return None
        scope = f',scope="{wanted(ask)}"' if wanted(ask) else ""
        problem = ',error="insufficient_scope"' if scheme else ""
        challenge = f'Bearer realm="{tokens.url}/token",service="s"{scope}{problem}'
        return error(401, "UNAUTHORIZED", Www_Authenticate=challenge)

    for method in METHODS:
        fake.on(method, ".*", guard)


def wanted(ask: Ask) -> str:
    if ask.path == "/v2/":
        return ""
    if ask.path == "/v2/_catalog":
        return "registry:catalog:*"
    actions = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(ask.method, "pull,push")
    return f"repository:{NAME}:{actions}"


def asks_for_basic(fake: Fake, header: str = ALICE.basic) -> None:
    def guard(ask: Ask) -> Out | None:
        if ask.headers.get("Authorization") == header:
            return None
        return error(401, "UNAUTHORIZED", Www_Authenticate='Basic realm="x"')

    for method in METHODS:
        fake.on(method, ".*", guard)


def connect(fake: Fake, credentials: oci.Credentials | None = ALICE) -> oci.Client:
    return oci.Client(fake.url, credentials=credentials, timeout=oci.Timeout(pause=0.01))
