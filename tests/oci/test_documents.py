"""Manifests, indexes and configs from anybody."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regui import oci
from regui.oci import media
from tests import images

DIGEST = oci.Digest.of(b"x")
CONFIG = {"mediaType": oci.OCI_CONFIG, "digest": DIGEST, "size": 1}

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(str(DIGEST)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = """
    schemaVersion mediaType config layers manifests subject annotations artifactType digest size platform
    os architecture created history rootfs fsLayers blobSum Labels Env Cmd Entrypoint ExposedPorts Healthcheck
    v1Compatibility urls data
"""
fields = st.sampled_from(FIELDS.split())
documents: st.SearchStrategy[Any] = st.recursive(
    values,
    lambda inner: st.dictionaries(fields, inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=30,
)
kinds = st.sampled_from(
    [oci.OCI_INDEX, oci.OCI_MANIFEST, oci.DOCKER_LIST, oci.SCHEMA1_SIGNED, "", "text/plain"]
)


def dump(**document: Any) -> bytes:
    return json.dumps({"schemaVersion": 2} | document).encode()


def manifest(**document: Any) -> oci.Manifest:
    parsed = oci.parse(dump(**({"config": CONFIG, "layers": []} | document)))
    assert isinstance(parsed, oci.Manifest)
    return parsed


def test_a_body_says_itself_what_it_is() -> None:
    body = dump(mediaType=oci.DOCKER_LIST, manifests=[])

    assert oci.parse(body, oci.OCI_MANIFEST).media_type == oci.DOCKER_LIST


def test_a_body_without_media_type_is_what_it_came_as() -> None:
    parsed = oci.parse(dump(manifests=[]), f"{oci.DOCKER_LIST}; charset=utf-8")

    assert parsed == oci.Index(oci.DOCKER_LIST, ())


@pytest.mark.parametrize("content_type", ["", "application/json", "application/octet-stream", "text/plain"])
def test_a_body_that_nobody_named_is_told_by_its_fields(content_type: str) -> None:
    assert isinstance(oci.parse(dump(manifests=[]), content_type), oci.Index)
    assert isinstance(oci.parse(dump(config=CONFIG, layers=[]), content_type), oci.Manifest)


def test_a_body_that_is_two_things_is_refused() -> None:
    both = dump(manifests=[], layers=[], config=CONFIG)

    for kind in (oci.OCI_INDEX, oci.OCI_MANIFEST, ""):
        with pytest.raises(oci.Malformed):
            oci.parse(both, kind)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", b"{}", b'{"schemaVersion": 2}', b'{"layers": NaN}', b"[" * 100_000]
    + [dump(mediaType="application/vnd.oci.artifact.manifest.v1+json", blobs=[])]
    + [dump(layers=[{}]), dump(layers=[{"digest": DIGEST}]), dump(layers=["x"]), dump(config="x", layers=[])]
    + [dump(layers=[{"digest": DIGEST, "size": size}]) for size in (-1, True, "1", 1.5, 2**60)],
)
def test_what_no_registry_could_work_with_is_malformed(body: bytes) -> None:
    with pytest.raises(oci.Malformed):
        oci.parse(body)


def test_fields_of_the_wrong_type_are_unknown() -> None:
    parsed = manifest(annotations={"a": "b", "c": 1}, artifactType=5)

    assert parsed.annotations == {"a": "b"}
    assert parsed.artifact_type == ""
    assert manifest(annotations=["a"]).annotations == {}


def test_lists_that_are_null_are_empty() -> None:
    assert manifest(layers=None).layers == ()
    assert oci.parse(dump(manifests=None)) == oci.Index(oci.OCI_INDEX, ())


def test_text_that_no_database_takes_is_replaced() -> None:
    assert manifest(annotations={"a\0": "\ud800b"}).annotations == {"a\ufffd": "\ufffdb"}


def test_a_descriptor_brings_everything_along() -> None:
    entry = CONFIG | {"platform": {"os": "linux", "architecture": "arm", "variant": "v7", "os.version": "1"}}
    entry |= {"annotations": {"a": "b"}, "artifactType": "t", "urls": ["https://x"], "data": "e30="}
    index = oci.parse(dump(manifests=[entry]))

    assert isinstance(index, oci.Index)
    platform = oci.Platform("linux", "arm", "v7", "1")
    assert index.manifests == (
        oci.Descriptor(oci.OCI_CONFIG, DIGEST, 1, platform, {"a": "b"}, "t", ("https://x",), b"{}"),
    )


@pytest.mark.parametrize(
    ("parts", "words", "unknown"),
    [
        (("linux", "amd64"), "linux/amd64", False),
        (("linux", "arm", "v7"), "linux/arm/v7", False),
        (("unknown", "unknown"), "unknown/unknown", True),
        ((), "unknown", True),
        (("", "amd64"), "amd64", False),
    ],
)
def test_a_platform_says_what_is_known(parts: tuple[str, ...], words: str, unknown: bool) -> None:
    platform = oci.Platform(*parts)

    assert str(platform) == words
    assert platform.unknown is unknown


@pytest.mark.parametrize(
    ("claim", "moment"),
    [
        ("2026-03-04T05:06:07Z", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("2026-03-04T05:06:07.123456789Z", datetime(2026, 3, 4, 5, 6, 7, 123456, tzinfo=UTC)),
        ("2026-03-04T05:06:07+02:00", datetime(2026, 3, 4, 3, 6, 7, tzinfo=UTC)),
        ("2026-03-04T05:06:07", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("2999-01-01T00:00:00Z", datetime(2999, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-23:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_that_says_nothing_is_unknown(claim: str, moment: datetime | None) -> None:
    assert oci.created_date(claim) == moment


def test_schema_1_is_read_base_first() -> None:
    base, top = oci.Digest.of(b"base"), oci.Digest.of(b"top")
    newest = json.dumps({"created": "2016-03-04T05:06:07Z"})
    body = dump(
        schemaVersion=1,
        name="a/b",
        tag="1",
        architecture="amd64",
        fsLayers=[{"blobSum": top}, {"blobSum": base}],
        history=[{"v1Compatibility": newest}, {"v1Compatibility": "{}"}],
    )

    created = datetime(2016, 3, 4, 5, 6, 7, tzinfo=UTC)
    legacy = oci.Legacy(oci.SCHEMA1_SIGNED, "a/b", "1", "amd64", (base, top), created)
    assert oci.parse(body, oci.SCHEMA1_SIGNED) == legacy


def test_a_config_says_how_the_image_runs() -> None:
    runtime = {
        "Labels": {"a": "<b>", "n": None},
        "Env": ["A=1"],
        "Entrypoint": "/run me",
        "Cmd": ["a", "b"],
        "WorkingDir": "/w",
        "User": "me",
        "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/data": {}},
        "StopSignal": "SIGINT",
        "Healthcheck": {"Test": ["CMD", "true"]},
    }
    step = {"created": "1970-01-01T00:00:00Z", "created_by": "RUN x", "comment": "c", "empty_layer": True}
    config = oci.Config.parse(
        dump(os="linux", architecture="arm64", created=images.CREATED, author="me", config=runtime)[:-1]
        + b', "history": [%s], "rootfs": {"diff_ids": ["d"]}}' % json.dumps(step).encode()
    )

    assert str(config.platform) == "linux/arm64"
    assert config.created == oci.created_date(images.CREATED)
    assert (config.labels, config.env, config.user) == ({"a": "<b>"}, ("A=1",), "me")
    assert (config.entrypoint, config.cmd) == (("/run me",), ("a", "b"))
    assert (config.ports, config.volumes) == (("80/tcp",), ("/data",))
    assert config.healthcheck == '["CMD", "true"]'
    assert config.history == (oci.History(None, "RUN x", "c", empty_layer=True),)
    assert config.diff_ids == ("d",)


def test_a_config_without_anything_is_all_unknown() -> None:
    config = oci.Config.parse(b"{}")

    assert config.platform.unknown
    assert config.created is None
    assert config.claimed_created == ""


@given(documents, kinds)
def test_any_json_is_a_document_or_malformed(document: Any, kind: str) -> None:
    body = json.dumps(document).encode()
    for read in (lambda: oci.parse(body, kind), lambda: oci.Config.parse(body)):
        with contextlib.suppress(oci.Malformed):
            read()


@given(st.binary(max_size=50), kinds)
def test_any_bytes_are_a_document_or_malformed(body: bytes, kind: str) -> None:
    try:
        parsed = oci.parse(body, kind)
    except oci.Malformed:
        return
    assert media.is_manifest(parsed.media_type)


@given(st.text(max_size=40) | st.datetimes().map(str))
def test_any_claim_is_a_date_or_unknown(claim: str) -> None:
    moment = oci.created_date(claim)

    assert moment is None or (moment.tzinfo is UTC and moment.year > 1970)
