"""The site that browser tests visit: a real process of ours in front of real registries."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock

from regui import oci
from regui.demo.company import contents
from regui.demo.fill import fill
from tests import registry
from tests.registry import RunningRegistry
from tests.serving import Running, regui, serving

# Names that the browser resolves to this machine; by these it is an origin that browsers don't trust.
HOST = "regui.test"


@dataclass(frozen=True)
class Site:
    """A running regui. Its registries: `demo`, which tests only read; `lab`, where each test pushes to
    repositories of its own; and those that show how a registry can be in a bad way."""

    process: Running
    demo: RunningRegistry
    lab: RunningRegistry

    @property
    def url(self) -> str:
        return self.process.url

    @property
    def insecure_url(self) -> str:
        """The same site by plain HTTP and a name, as most people reach it at first."""
        return self.url.replace("127.0.0.1", HOST)

    def digest(self, repository: str, tag: str) -> oci.Digest:
        """What a tag of the demo is on."""
        with self.demo.connect() as client:
            return client.head_manifest(repository, tag).digest

    def child(self, repository: str, tag: str, platform: str) -> oci.Digest:
        """The manifest for a platform in the demo's index under that tag."""
        with self.demo.connect() as client:
            content = client.manifest(repository, tag)
        assert content is not None
        assert isinstance(content.document, oci.Index)
        return next(one.digest for one in content.document.manifests if str(one.platform) == platform)

    def manifest(self, repository: str, digest: str, of: str = "demo") -> str:
        """The path of a manifest's page."""
        return f"/{of}/{repository}/-/manifests/{digest}/"

    def tagged(self, repository: str) -> dict[str, oci.Digest]:
        """What the lab's registry itself says of a repository: its tags and what they are on."""
        with self.lab.connect() as client:
            return {tag: client.head_manifest(repository, tag).digest for tag in client.tags(repository)}

    def deletes(self) -> list[str]:
        """The paths that were deleted from the lab's registry so far; questions whether it would delete what
        can't be there are none."""
        return [one.path for one in self.lab.requests() if one.method == "DELETE" and one.status < 300]


@contextmanager
def running(data: Path, shared: Path) -> Iterator[Site]:
    """The site, its own files below `data`; `shared` is a folder for all processes of one run of tests."""
    with ExitStack() as stack:

        def started(one: RunningRegistry) -> RunningRegistry:
            stack.callback(one.stop)
            return one

        demo = started(filled(data / "demo", shared))
        lab = started(registry.open_registry(data / "lab"))
        addresses = {
            "demo": demo.url,
            "lab": lab.url,
            "empty": started(registry.open_registry(data / "empty")).url,
            "locked": started(registry.basic_registry(data / "locked")).url,
            "selfsigned": started(registry.tls_registry(data / "selfsigned")).url,
            "undeletable": started(undeletable(data / "undeletable")).url,
            "away": away(data / "away"),
        }
        settings = {f"REGUI_REGISTRY_{name.upper()}_URL": url for name, url in addresses.items()}
        names = " ".join(addresses)
        # What pages leave for later is nothing to judge them by: the demo is known as a whole.
        synced = regui(
            data / "regui", "sync", "demo", REGUI_REGISTRIES="demo", REGUI_REGISTRY_DEMO_URL=demo.url
        )
        assert synced.returncode == 0, synced.stderr
        process = stack.enter_context(
            fresh(data / "regui", REGUI_REGISTRIES=names, REGUI_URL=f"http://{HOST}", **settings)
        )
        yield Site(process, demo, lab)


@contextmanager
def fresh(data: Path, **settings: str) -> Iterator[Running]:
    """A regui of its own that knows nothing yet, deletes at once unless the settings say otherwise, and has
    no reason to log a stack trace."""
    with serving(data, program=(), cwd=None, **{"REGUI_DELETE_GRACE": "0"} | settings) as process:
        yield process
    assert not any("Traceback" in line for line in process.output), process.output


def filled(folder: Path, shared: Path) -> RunningRegistry:
    """A registry with the demo's images. The storage is filled once for all and then only read, so that each
    process can serve it with a server of its own."""
    storage = shared / "demo-storage"
    with filelock.FileLock(f"{storage}.lock"):
        if not storage.exists():
            filling = registry.open_registry(shared / "demo-filling")
            try:
                with filling.connect() as client:
                    fill(client, contents(), lambda: None)
            finally:
                filling.stop()
            shutil.move(filling.storage, storage)
    return registry.open_registry(folder, storage__filesystem={"rootdirectory": str(storage)})


def undeletable(folder: Path) -> RunningRegistry:
    """A registry as it comes: with deletes switched off."""
    running = RunningRegistry(folder, delete=False)
    running.push("team/app", tags=["1.0"])
    return running


def away(folder: Path) -> str:
    """An address where a registry was until a moment ago."""
    gone = registry.open_registry(folder)
    gone.stop()
    return gone.url
