"""What documents come to as rows: every kind, and nothing made up for what isn't said."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regui import oci
from regui.demo import images as demo
from regui.demo.images import Built
from regui.index import facts
from regui.index.models import Manifest
from tests import images

KIND = Manifest.Kind


def content(built: Built) -> oci.Content:
    return oci.Content(built.body, built.media_type, built.digest)


def of(built: Built, config: bytes | None = None) -> facts.Facts:
    """The facts of something built; `config` stands in for its first blob."""
    return facts.of(content(built), built.blobs[0] if config is None and built.blobs else config)


def config_of(built: Built) -> bytes:
    """The config among the built one's blobs."""
    document = content(built).document
    assert isinstance(document, oci.Manifest)
    assert document.config
    return next(blob for blob in built.blobs if oci.Digest.of(blob) == document.config.digest)


def test_an_image_tells_its_platform_date_labels_and_size() -> None:
    built = images.image(platform="linux/arm64/v8", labels={"team": "<b>ops</b>"})
    found = facts.of(content(built), config_of(built))

    assert (found.kind, found.platform, found.artifact_type) == (KIND.IMAGE, "linux/arm64/v8", "")
    assert found.created_at is not None
    assert found.created_at.isoformat() == "2026-03-04T05:06:07.891234+00:00"
    assert found.labels["team"] == "<b>ops</b>"
    assert found.size == sum(len(blob) for blob in built.blobs)
    assert found.parts[0].position == 0


@pytest.mark.parametrize("claim", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "soon", "", None])
def test_a_date_that_says_nothing_is_unknown(claim: str | None) -> None:
    built = images.image(created=claim)

    assert facts.of(content(built), config_of(built)).created_at is None


def test_an_annotation_dates_what_its_config_does_not() -> None:
    about = {"name": "web", "version": "1.0.0", "description": "A chart"}
    built = demo.chart(about, {}, created=images.CREATED)
    found = facts.of(content(built), config_of(built))

    assert found.kind == KIND.HELM
    assert found.created_at is not None
    assert found.labels["org.opencontainers.image.description"] == "A chart"


def test_kinds_are_told_apart() -> None:
    image = images.image()
    signature = demo.signature(image, "registry/team/app")
    index = images.index(attested=True)
    attestation = index.children[-1]

    assert of(images.artifact()).kind == KIND.ARTIFACT
    assert of(images.artifact()).artifact_type == "application/vnd.example.note"
    assert of(signature).kind == KIND.ARTIFACT
    assert of(signature).artifact_type == oci.COSIGN_SIGNATURE
    assert of(attestation).kind == KIND.ATTESTATION
    assert of(index).kind == KIND.INDEX
    assert [entry.platform for entry in of(index).entries] == ["linux/amd64", "linux/arm64", "", ""]
    assert [facts.is_attestation(entry.annotations) for entry in of(index).entries] == [
        False,
        False,
        True,
        True,
    ]


def test_schema_1_has_layers_but_no_sizes() -> None:
    digest = oci.Digest.of(b"layer")
    body = json.dumps(
        {
            "schemaVersion": 1,
            "name": "a/b",
            "tag": "1",
            "architecture": "amd64",
            "fsLayers": [{"blobSum": digest}],
            "history": [{"v1Compatibility": '{"created": "2016-01-02T03:04:05Z"}'}],
        }
    ).encode()
    found = facts.of(oci.Content(body, oci.SCHEMA1_SIGNED, oci.Digest.of(body), verified=False), None)

    assert (found.kind, found.size, found.platform) == (KIND.LEGACY, None, "")
    assert found.parts == (facts.Part(1, digest, None),)
    assert found.created_at is not None


def test_one_layer_used_twice_counts_once() -> None:
    built = images.image(layers=[b"same", b"same"])

    assert of(built).size == len(config_of(built)) + len({*built.blobs[1:]}.pop())


@pytest.mark.parametrize(
    "config", [b"", b"[]", b"null", b"\xff", b"{" * 5000, b'{"config": 5, "history": "x"}']
)
def test_a_config_that_makes_no_sense_counts_as_none(config: bytes) -> None:
    found = facts.of(content(images.image()), config)

    assert found.created_at is None
    assert found.platform == ""
    assert found.kind == KIND.IMAGE


def test_labels_that_are_no_text_are_left_out() -> None:
    labels: dict[str, object] = {"a": 1, "b": None, "c": "x\0y", "d": []}
    config = {"os": "linux", "architecture": "s390x", "config": {"Labels": labels}}
    found = facts.of(content(images.image()), json.dumps(config).encode())

    assert found.labels == {"c": "x\N{REPLACEMENT CHARACTER}y"}
    assert found.platform == "linux/s390x"


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
digests = st.binary(max_size=4).map(oci.Digest.of)
descriptors = st.fixed_dictionaries(
    {"digest": digests | anything, "size": st.integers(-(2**70), 2**70)},
    optional={"mediaType": anything, "platform": anything, "annotations": anything, "urls": anything},
)
documents = st.fixed_dictionaries(
    {"schemaVersion": st.just(2)},
    optional={
        "mediaType": st.sampled_from([oci.OCI_INDEX, oci.OCI_MANIFEST, oci.DOCKER_LIST, "text/plain"])
        | anything,
        "config": descriptors | anything,
        "layers": st.lists(descriptors, max_size=3) | anything,
        "manifests": st.lists(descriptors, max_size=3) | anything,
        "subject": descriptors | anything,
        "annotations": anything,
        "artifactType": anything,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=documents, config=anything)
def test_whatever_is_pushed_has_facts_or_is_malformed(document: Any, config: Any) -> None:
    body = json.dumps(document).encode()
    try:
        found = facts.of(
            oci.Content(body, oci.OCI_MANIFEST, oci.Digest.of(body)), json.dumps(config).encode()
        )
    except oci.Malformed:
        return
    assert found.kind in KIND.values
    assert len(found.media_type) <= 255
    assert len(found.artifact_type) <= 255
    assert found.size is None or found.size >= 0
    assert all(isinstance(value, str) for value in found.labels.values())
