"""The demo's shop: what customers see, and the services behind it."""

from collections.abc import Iterator

from regui import oci
from regui.demo import images
from regui.demo.images import Built, Step
from regui.demo.parts import (
    KB,
    PROVENANCE,
    SPDX,
    Push,
    debian,
    labels,
    node,
    program,
    provenance,
    python,
    when,
)


def versions() -> list[str]:
    """The storefront's releases, oldest first: 64 of them."""
    patches = (1, 3, 2, 5, 4, 6, 3, 7, 2, 4, 5, 6, 4, 8, 4)
    return [f"2.{minor}.{patch}" for minor, count in enumerate(patches) for patch in range(count)]


def storefront() -> Iterator[Push]:
    """Docker's format; more tags than fit on a page; the newest release under three tags."""
    releases = versions()
    for age, version in enumerate(reversed(releases)):
        size = 40 * KB + (len(releases) - age) * KB + int(version[-1]) * 9 * KB
        built = images.image(
            [
                debian("linux/amd64"),
                Step('/bin/sh -c #(nop)  CMD ["bash"]'),
                node(),
                Step("/bin/sh -c #(nop)  ENV NODE_ENV=production"),
                program("storefront", version, size, "/bin/sh -c #(nop) COPY dir:9f2e41 in /app "),
                Step("/bin/sh -c #(nop)  EXPOSE 3000"),
                Step('/bin/sh -c #(nop)  CMD ["node" "server.js"]'),
            ],
            created=when(age * 1.4),
            labels=labels(
                "shop/storefront", version, "Storefront", "The shop as customers see it: catalogue and basket"
            ),
            config={
                "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "NODE_ENV=production", "PORT=3000"],
                "Cmd": ["node", "server.js"],
                "ExposedPorts": {"3000/tcp": {}},
                "WorkingDir": "/app/storefront",
                "User": "node",
                "Healthcheck": {
                    "Test": ["CMD", "wget", "-qO-", "http://localhost:3000/up"],
                    "Interval": 30_000_000_000,
                },
            },
            docker=True,
        )
        newest = ("latest", "stable") if age == 0 else ()
        yield Push((version, *newest), built)


def checkout_api() -> Iterator[Push]:
    """Several platforms with attestations; the newest is signed and has an SBOM that refers to it."""
    for age, version in enumerate(("4.3.0", "4.2.1", "4.2.0", "4.1.0", "4.0.2", "4.0.1", "4.0.0")):
        built = images.with_attestations(
            [
                service("checkout/api", "Checkout API", version, platform, 190 * KB, when(age * 2.5))
                for platform in ("linux/amd64", "linux/arm64")
            ],
            {SPDX: sbom("checkout-api", version), PROVENANCE: provenance("checkout/api", version)},
        )
        yield Push((version, "latest") if age == 0 else (version,), built)
        if age == 0:
            tag = oci.referrers_tag(built.digest)
            document = images.dump(sbom("checkout-api", version))
            note = images.artifact(
                oci.SPDX,
                {"sbom.spdx.json": (oci.SPDX, document)},
                annotations={"org.opencontainers.image.created": when(age)},
                subject=built,
            )
            reference = "registry.kitewerk.example/shop/checkout/api"
            yield Push((f"{tag}.sig",), images.signature(built, reference))
            yield Push((tag,), images.fallback([note]))


def checkout_worker() -> Iterator[Push]:
    for age, version in enumerate(("4.3.0", "4.2.1", "4.2.0")):
        yield Push(
            (version,),
            service("checkout/worker", "Checkout worker", version, "linux/amd64", 310 * KB, when(age * 3)),
        )


def service(name: str, title: str, version: str, platform: str, size: int, created: str) -> Built:
    """A Python service in OCI's format."""
    short = name.replace("/", "-")
    return images.image(
        [
            debian(platform),
            Step('CMD ["bash"]'),
            python(platform),
            Step("ENV PYTHONUNBUFFERED=1"),
            Step("WORKDIR /app"),
            program(
                short, f"requirements {platform}", size // 2, "RUN pip install -r requirements.txt # buildkit"
            ),
            program(short, f"{version} {platform}", size),
            Step("USER 10001"),
            Step('ENTRYPOINT ["python3.13" "-m"]'),
            Step(f'CMD ["{short}"]'),
        ],
        created=created,
        platform=platform,
        labels=labels(f"shop/{name}", version, title, f"{title}: orders, payments and what follows"),
        config={
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED=1"],
            "Entrypoint": ["python3.13", "-m"],
            "Cmd": [short],
            "ExposedPorts": {"8080/tcp": {}},
            "Volumes": {"/var/lib/checkout": {}},
            "WorkingDir": "/app",
            "User": "10001",
            "StopSignal": "SIGTERM",
        },
    )


def sbom(name: str, version: str) -> dict[str, object]:
    packages = ("django", "gunicorn", "psycopg", "requests", "sqlparse", "urllib3")
    return {
        "spdxVersion": "SPDX-2.3",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{name}-{version}",
        "packages": [
            {"name": package, "SPDXID": f"SPDXRef-{package}", "versionInfo": f"{len(package)}.{position}.0"}
            for position, package in enumerate(packages)
        ],
    }


def search() -> Iterator[Push]:
    for age, version in enumerate(("0.9.4", "0.9.3", "0.9.2", "0.9.1", "0.9.0")):
        built = images.image(
            [
                debian("linux/amd64"),
                program("search", version, 420 * KB + age * 7 * KB, "COPY search /usr/local/bin/"),
            ],
            created=when(4 + age * 5),
            labels=labels("shop/search", version, "Search", "Finds the right kite for the wind"),
            config={"Entrypoint": ["/usr/local/bin/search"], "ExposedPorts": {"9200/tcp": {}}},
            docker=True,
        )
        yield Push((version,), built)
