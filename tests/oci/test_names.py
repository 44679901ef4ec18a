"""References: what is one, and what a tag's name says it is about."""

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regui import oci

GOOD = [
    "a",
    "team/app",
    "a/b/c/d",
    "a-b",
    "a--b",
    "a_b",
    "a__b",
    "a.b",
    "0",
    "a/tags/list",
    "v2",
    "manifests/blobs",
]
DOMAINS = ["A/b", "host:5000/x", "reg.example.com/team/app"]
BAD = [
    "",
    "/",
    "a/",
    "/a",
    "a//b",
    "A",
    "Bad_UPPER",
    "a___b",
    "a..b",
    "-a",
    "a-",
    ".a",
    "a b",
    "ä",
    "a%2fb",
    "a\n",
]
BAD += ["../a", "a/../b", "a/-/b", "-", "a?b", "a#b", "a@b", "a:b", "a" * 256]


@pytest.mark.parametrize("name", GOOD + DOMAINS)
def test_a_repository_may_be_called_this(name: str) -> None:
    assert oci.check_repository(name) == name


@pytest.mark.parametrize("name", BAD)
def test_no_repository_is_called_this(name: str) -> None:
    with pytest.raises(oci.InvalidName):
        oci.check_repository(name)


@pytest.mark.parametrize("name", ["latest", "1.0", "_x", "V1", "a" * 128, "sha256-abc", "manifests"])
def test_a_tag_may_be_called_this(name: str) -> None:
    assert oci.check_tag(name) == name


@pytest.mark.parametrize("name", ["", ".a", "-a", "a" * 129, "a/b", "a:b", "ä", "a b", "a\n", "a%"])
def test_no_tag_is_called_this(name: str) -> None:
    with pytest.raises(oci.InvalidName):
        oci.check_tag(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest",
        "sha256:",
        "sha256:" + "0" * 63,
        "sha256:" + "0" * 65,
        "sha256:" + "A" * 64,
        "sha256:" + "0" * 64 + "\n",
        "sha512:" + "0" * 64,
        "md5:" + "0" * 32,
    ],
)
def test_no_digest_is_written_like_this(text: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        oci.Digest.parse(text)
    assert not oci.is_digest(text)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_digest_knows_its_parts(algorithm: str) -> None:
    digest = oci.Digest.of(b"body", algorithm)

    assert oci.Digest.parse(str(digest)) == digest
    assert digest.algorithm == algorithm
    assert digest.hex == hashlib.new(algorithm, b"body").hexdigest()
    assert digest.short == digest.hex[:12]


def test_a_companion_tag_names_its_subject() -> None:
    digest = oci.Digest.of(b"body")
    tag = oci.referrers_tag(digest)

    assert oci.companion(tag) == oci.Companion(digest, "referrers")
    assert oci.companion(f"{tag}.sig") == oci.Companion(digest, "signature")
    assert oci.companion(f"{tag}.att") == oci.Companion(digest, "attestation")
    assert oci.companion(f"{tag}.sbom") == oci.Companion(digest, "sbom")


@pytest.mark.parametrize(
    "tag", ["latest", "sha256-abc", "sha256-" + "0" * 64 + ".txt", "sha256-" + "0" * 64 + "."]
)
def test_other_tags_stand_for_themselves(tag: str) -> None:
    assert oci.companion(tag) is None


def test_the_fallback_tag_of_a_long_digest_is_cut() -> None:
    digest = oci.Digest.of(b"body", "sha512")

    assert oci.check_tag(oci.referrers_tag(digest)) == f"sha512-{digest.hex[:64]}"


@given(st.from_regex(oci.REPOSITORY, fullmatch=True).filter(lambda name: len(name) <= 255))
def test_no_repository_can_leave_its_place_in_an_address(name: str) -> None:
    assert oci.check_repository(name) == name
    assert not {"", ".", "..", "-"} & set(name.split("/"))


@given(st.text())
def test_any_text_is_a_name_or_refused(text: str) -> None:
    for check in (oci.check_repository, oci.check_tag, oci.check_reference, oci.Digest.parse):
        with contextlib.suppress(oci.InvalidName):
            assert check(text) == text


names = st.from_regex(oci.REPOSITORY, fullmatch=True).filter(lambda name: len(name) <= 255)
tags = st.just("") | st.from_regex(oci.TAG, fullmatch=True)
digests = st.just("") | st.binary().map(oci.Digest.of)


@given(names, tags, digests)
def test_a_reference_is_read_as_it_is_written(name: str, tag: str, digest: str) -> None:
    reference = oci.Reference(name, tag, digest)
    assert oci.Reference.parse(str(reference)) == reference


@pytest.mark.parametrize("text", ["", ":1.0", "team/app:", "team/app@", "team/app@sha256:abc", "a:b:c", "A"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(oci.InvalidName):
        oci.Reference.parse(text)
