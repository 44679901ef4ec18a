"""The layers of an image and the files of an artifact, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from regui import oci
from regui.web import dockerfile

TITLE = "org.opencontainers.image.title"
PREDICATE = "in-toto.io/predicate-type"


@dataclass(frozen=True)
class Layer:
    """A layer. `size` is None where the manifest doesn't say (schema 1), `step` where the history doesn't."""

    number: int
    digest: str
    size: int | None
    media_type: str
    title: str = ""
    step: dockerfile.Step | None = None
    urls: tuple[str, ...] = ()


def layers(document: oci.Document, history: Sequence[oci.History] = ()) -> list[Layer]:
    """The layers from the bottom up, each with the step that made it.

    A history that counts other layers than the manifest has says nothing about any of them.
    """
    if isinstance(document, oci.Legacy):
        return [Layer(number, digest, None, "") for number, digest in enumerate(document.layers, 1)]
    if isinstance(document, oci.Index):
        return []
    made = [step for step in dockerfile.steps(history) if step.layer]
    step_of = {step.layer: step for step in made} if len(made) == len(document.layers) else {}
    return [
        Layer(
            number=number,
            digest=layer.digest,
            size=layer.size,
            media_type=layer.media_type,
            title=title(layer),
            step=step_of.get(number),
            urls=layer.urls,
        )
        for number, layer in enumerate(document.layers, 1)
    ]


def title(descriptor: oci.Descriptor) -> str:
    """The file's name, or what an attestation's statement is about; empty when nobody said."""
    return descriptor.annotations.get(TITLE) or descriptor.annotations.get(PREDICATE, "")
