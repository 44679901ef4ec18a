"""A real registry for tests: Debian's docker-registry, or the one that REGISTRY_BINARY names."""

import itertools
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import bcrypt
import trustme

from regui import oci
from regui.demo.binary import registry_binary
from regui.demo.images import Built
from tests import images
from tests.tokens import TokenServer

DATA = Path(__file__).resolve().parent.parent / ".data"
START, STOP = 20, 5  # seconds
USER = oci.Credentials("alice", "pä:ss wörd")
ACCESS = re.compile(r'"(\w+) (\S+) HTTP/[\d.]+" (\d+) .* "([^"]*)"$')


@cache
def binary() -> Path:
    """The registry server to run."""
    named = os.environ.get("REGISTRY_BINARY")
    return Path(named) if named else registry_binary(DATA)


@dataclass(frozen=True)
class Access:
    """One request as the registry's access log has it; `path` with its query."""

    method: str
    path: str
    status: int
    user_agent: str


class RunningRegistry:
    """A registry process on a free loopback port, with its storage and its logs in `folder`."""

    def __init__(
        self, folder: Path, *, delete: bool = True, tls: Path | None = None, **sections: Any
    ) -> None:
        """Starts it and waits until it answers. `tls` is the CA file that vouches for it, if it speaks TLS;
        `sections` are added to its configuration, `http__tls={…}` going into a section's section."""
        self.folder, self.storage = folder, folder / "storage"
        self.access_log, self.log = folder / "access.log", folder / "registry.log"
        self.ca = tls
        self._delete, self._sections = delete, sections
        self._names = itertools.count(1)
        folder.mkdir(parents=True, exist_ok=True)
        self.credentials: oci.Credentials | None = None
        self.start()

    def start(self) -> None:
        """Start the process, on a new port; another process may take the port first, so try a few."""
        for _ in range(5):
            with socket.create_server(("127.0.0.1", 0)) as probe:
                self.port = int(probe.getsockname()[1])
            config = self.folder / "config.yml"
            config.write_text(json.dumps(self.configuration()), encoding="utf-8")
            with self.access_log.open("ab") as access, self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [str(binary()), "serve", str(config)],
                    stdin=subprocess.DEVNULL,
                    stdout=access,
                    stderr=log,
                    env={**os.environ, "OTEL_TRACES_EXPORTER": "none"},
                )
            if self.answers():
                return
        raise AssertionError(f"no registry came up:\n{self.log.read_text()[-2000:]}")

    def answers(self) -> bool:
        """Whether it accepts connections, soon enough, and goes on running."""
        deadline = time.monotonic() + START
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                time.sleep(0.02)
                return self._process.poll() is None
        return False

    def stop(self) -> None:
        """End the process; the storage stays, and `start` serves it again at another port."""
        self._process.terminate()
        try:
            self._process.wait(STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def configuration(self) -> dict[str, Any]:
        """Its configuration; JSON is YAML too."""
        config: dict[str, Any] = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": False}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.storage)},
                "delete": {"enabled": self._delete},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": f"127.0.0.1:{self.port}", "secret": secrets.token_hex()},
        }
        for path, value in self._sections.items():
            section, _, name = path.partition("__")
            if name:
                config[section][name] = value
            else:
                config[section] = value
        return config

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://127.0.0.1:{self.port}"

    def connect(self, **options: Any) -> oci.Client:
        """A new client of this registry, signed in where it asks for that."""
        defaults: dict[str, Any] = {"credentials": self.credentials, "verify": str(self.ca or "") or True}
        return oci.Client(self.url, **(defaults | options))

    def unique(self, name: str = "team/app") -> str:
        """A repository's name that no other test uses."""
        return f"{name}-{next(self._names)}"

    def wipe(self) -> None:
        """Forget every repository; the process looks at the disk anew with each request."""
        shutil.rmtree(self.storage / "docker", ignore_errors=True)

    def requests(self) -> list[Access]:
        """What was asked of it so far, by its access log."""
        found = map(ACCESS.search, self.access_log.read_text(encoding="utf-8").splitlines())
        return [Access(one[1], one[2], int(one[3]), one[4]) for one in found if one]

    def push_built(self, repository: str, built: Built, tags: Sequence[str] = ()) -> oci.Digest:
        """Push something built; without tags by its digest alone."""
        with self.connect() as client:
            return images.push(client, repository, built, tags)

    def push(
        self,
        repository: str,
        *,
        tags: Sequence[str] = ("latest",),
        layers: Sequence[bytes] | None = None,
        created: str | None = images.CREATED,
        labels: Mapping[str, str] | None = None,
        platform: str = "linux/amd64",
        docker: bool = False,
    ) -> oci.Digest:
        """Push an image under those tags; its digest. See `images.image`."""
        built = images.image(layers=layers, created=created, labels=labels, platform=platform, docker=docker)
        return self.push_built(repository, built, tags)

    def push_index(
        self,
        repository: str,
        *,
        tags: Sequence[str] = ("latest",),
        platforms: Sequence[str] = ("linux/amd64", "linux/arm64"),
        attested: bool = False,
        docker: bool = False,
    ) -> oci.Digest:
        """Push an image for each platform and the index of them under those tags; the index's digest."""
        built = images.index(platforms, attested=attested, docker=docker)
        return self.push_built(repository, built, tags)

    def push_artifact(
        self,
        repository: str,
        artifact_type: str = "application/vnd.example.note",
        *,
        tags: Sequence[str] = (),
        subject: Built | None = None,
    ) -> oci.Digest:
        """Push an artifact, about `subject` if one is given; its digest."""
        return self.push_built(repository, images.artifact(artifact_type, subject=subject), tags)


def open_registry(folder: Path, **options: Any) -> RunningRegistry:
    """A registry that asks nobody who they are."""
    return RunningRegistry(folder, **options)


def basic_registry(folder: Path) -> RunningRegistry:
    """A registry with a password file. The cost of bcrypt is paid for every request, so it is the
    smallest."""
    folder.mkdir(parents=True, exist_ok=True)
    hashed = bcrypt.hashpw(USER.password.encode(), bcrypt.gensalt(5)).decode()
    users = folder / "htpasswd"
    users.write_text(f"{USER.username}:{hashed}\n", encoding="utf-8")
    registry = RunningRegistry(folder, auth={"htpasswd": {"realm": "test", "path": str(users)}})
    registry.credentials = USER
    return registry


def bearer_registry(folder: Path, tokens: TokenServer) -> RunningRegistry:
    """A registry that takes the tokens of this server."""
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / "bundle.crt"
    bundle.write_bytes(tokens.certificate)
    token = {"realm": tokens.realm, "service": tokens.service, "issuer": tokens.issuer}
    registry = RunningRegistry(folder, auth={"token": token | {"rootcertbundle": str(bundle)}})
    registry.credentials = USER
    return registry


def tls_registry(folder: Path, *, client_ca: Path | None = None) -> RunningRegistry:
    """A registry whose certificate is signed by an authority of its own; with `client_ca` it wants a client
    certificate signed by that one."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    ca, chain, key = folder / "ca.pem", folder / "chain.pem", folder / "key.pem"
    authority.cert_pem.write_to_path(str(ca))
    key.write_bytes(certificate.private_key_pem.bytes())
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    tls = {"certificate": str(chain), "key": str(key)}
    if client_ca:
        tls["clientcas"] = [str(client_ca)]  # type: ignore[assignment]
    return RunningRegistry(folder, tls=ca, http__tls=tls)
