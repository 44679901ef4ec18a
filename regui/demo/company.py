"""What the demo registry holds: the images of Kitewerk, a small company that sells kites.

Between them they show every kind of content regui knows, and some that is only awkward.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from regui import oci
from regui.demo import images, shop
from regui.demo.images import Built
from regui.demo.parts import DEBIAN, KB, PROVENANCE, Push, debian, labels, program, provenance, python, when


@dataclass(frozen=True)
class Contents:
    """A repository: what is pushed, and whether its tags are deleted again afterwards."""

    name: str
    pushes: tuple[Push, ...]
    emptied: bool = False

    @property
    def steps(self) -> int:
        """How many manifests go under a tag."""
        return sum(len(push.tags) for push in self.pushes)


def contents() -> Iterator[Contents]:
    """The repositories, each built when its turn comes."""
    for name, pushes in REPOSITORIES.items():
        yield Contents(name, tuple(pushes()), emptied=name == "marketing/newsletter")


def base_python() -> Iterator[Push]:
    """Three platforms; two tags on one digest."""
    for age, patch in enumerate(("3.13.9", "3.13.8", "3.13.7")):
        built = images.with_attestations(
            [base(platform, patch, when(age * 6 + 0.5)) for platform in DEBIAN],
            {PROVENANCE: provenance("base/python", patch)},
        )
        yield Push((patch, "3.13") if age == 0 else (patch,), built)


def base(platform: str, version: str, created: str) -> Built:
    return images.image(
        [
            debian(platform),
            python(platform),
            program("pip", f"{version} {platform}", 95 * KB, "RUN python3.13 -m ensurepip"),
        ],
        created=created,
        platform=platform,
        labels=labels("base/python", version, "Python", "What our services start from"),
        config={"Cmd": ["python3.13"], "Env": [f"PYTHON_VERSION={version}"]},
    )


def base_debian() -> Iterator[Push]:
    """A Docker manifest list."""
    built = [
        images.image([debian(platform)], created=when(9), platform=platform, docker=True)
        for platform in DEBIAN
    ]
    yield Push(("bookworm", "12"), images.index(built, docker=True))


def toolbox() -> Iterator[Push]:
    """An index within an index."""
    plain = [base_tools(platform, "1.8") for platform in ("linux/amd64", "linux/arm64")]
    debug = [base_tools(platform, "1.8-debug") for platform in ("linux/amd64", "linux/arm64")]
    inner = images.index(debug, annotations={"org.opencontainers.image.ref.name": "debug"})
    yield Push(("1.8",), images.index([*plain, inner]))
    yield Push(("1.8-debug",), inner)


def base_tools(platform: str, version: str) -> Built:
    tools = program("toolbox", f"{version} {platform}", 260 * KB, "COPY --from=build /out/ /usr/local/bin/")
    return images.image([debian(platform), tools], created=when(14), platform=platform)


def chart() -> Iterator[Push]:
    for age, version in enumerate(("1.6.0", "1.5.2", "1.5.1")):
        about = {
            "name": "storefront",
            "version": version,
            "description": "The storefront on Kubernetes",
            "apiVersion": "v2",
            "appVersion": shop.versions()[-1 - age],
            "type": "application",
            "maintainers": [{"name": "Ines Falk", "email": "ines@kitewerk.example"}],
        }
        files = {
            "Chart.yaml": f"apiVersion: v2\nname: storefront\nversion: {version}\n".encode(),
            "values.yaml": b"replicas: 3\nimage:\n  repository: shop/storefront\n",
            "templates/deployment.yaml": b"apiVersion: apps/v1\nkind: Deployment\n",
        }
        yield Push((version,), images.chart(about, files, created=when(1 + age * 8)))


def recommender() -> Iterator[Push]:
    """An artifact with the empty config: no image, no platform."""
    kind = "application/vnd.kitewerk.model.v1"
    for age, month in enumerate(("2026-11", "2026-10")):
        files = {
            "model.safetensors": (oci.OCTETS, images.noise(f"model {month}", 1300 * KB)),
            "vocabulary.txt": ("text/plain", b"delta\nparafoil\nrokkaku\nsled\n" * 60),
        }
        notes = {
            "org.opencontainers.image.created": when(2 + 4 * age),
            "org.opencontainers.image.title": f"Recommendations {month}",
        }
        yield Push((month,), images.artifact(kind, files, annotations=notes))


def nightly() -> Iterator[Push]:
    """Images without a date to speak of: one built reproducibly, one that says nothing."""
    for tag, created in (
        ("2026.46", "1970-01-01T00:00:00Z"),
        ("2026.45", "0001-01-01T00:00:00Z"),
        ("next", None),
    ):
        built = images.image(
            [debian("linux/amd64"), program("etl", tag, 130 * KB, "nix build .#image")], created=created
        )
        yield Push((tag,), built)


def newsletter() -> Iterator[Push]:
    """Given up: its tags are deleted again, and the registry lists the repository for ever."""
    built = images.image(
        [program("newsletter", "0.1", 60 * KB)], created=when(80), labels={"maintainer": "marketing"}
    )
    yield Push(("0.1", "latest"), built)


def greeter() -> Iterator[Push]:
    """Labels in every script, and some that would like to be HTML."""
    words = {
        "org.opencontainers.image.title": "Greeter 👋🏽",
        "org.opencontainers.image.description": "Says hello: <b>bold</b> & <script>alert('kite')</script>",
        "greeting.ar": "مرحبا بكم في متجر الطائرات الورقية",
        "greeting.he": "ברוכים הבאים",
        "greeting.ja": "凧の店へようこそ",
        "greeting.el": "Καλώς ήρθατε",
        "note.mixed": "version 2 של הברכות (beta) 🪁",
        "note.quotes": "\"double\" 'single' `back` {{ braces }}",
        "note.long": "kite" * 90,
        "note.empty": "",
    }
    yield Push(
        ("1.0", "latest"),
        images.image(
            [program("greeter", "1.0", 24 * KB)],
            created=when(20),
            labels=words,
            annotations={"org.opencontainers.image.ref.name": "<i>1.0</i>"},
        ),
    )


def awkward() -> Iterator[Push]:
    """A repository named like a registry's own address."""
    yield Push(("v2", "tags", "list"), images.image([program("list", "1", 12 * KB)], created=when(30)))


def tools(name: str, title: str, size: int, weeks: float) -> Callable[[], Iterator[Push]]:
    def pushes() -> Iterator[Push]:
        for age, version in enumerate(("1.2", "1.1", "1.0")):
            layer = program(name, version, size - age * 6 * KB, f"COPY {name} /usr/local/bin/{name}")
            marks = labels(f"tools/{name}", version, name.capitalize(), title)
            built = images.image(
                [debian("linux/amd64"), layer], created=when(weeks * (age + 1)), labels=marks
            )
            yield Push((version,), built)

    return pushes


REPOSITORIES: Mapping[str, Callable[[], Iterator[Push]]] = {
    "base/debian": base_debian,
    "base/python": base_python,
    "base/toolbox": toolbox,
    "shop/storefront": shop.storefront,
    "shop/checkout/api": shop.checkout_api,
    "shop/checkout/worker": shop.checkout_worker,
    "shop/search": shop.search,
    "charts/storefront": chart,
    "data/etl/nightly": nightly,
    "data/recommender": recommender,
    "marketing/newsletter": newsletter,
    "tools/backup": tools("backup", "Copies the databases to where no ransom reaches", 540 * KB, 11),
    "tools/mailcatch": tools("mailcatch", "Catches every mail of the test environments", 88 * KB, 19),
    "tools/shipping-labels": tools("shipping-labels", "Prints the labels for parcels", 210 * KB, 3),
    "i18n/greeter": greeter,
    "a/tags/list": awkward,
}
