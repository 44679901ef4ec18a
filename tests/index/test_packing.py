"""Manifests and configs as a database keeps them: what comes out is what went in, for as long as there are
rows."""

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regui.demo import images as demo
from regui.index import packing, phrases
from tests import images


@given(st.binary(max_size=5000))
def test_what_was_packed_comes_back(body: bytes) -> None:
    assert packing.unpacked(packing.packed(body)) == body


@pytest.mark.parametrize("built", [images.image(), images.index(attested=True)], ids=["image", "index"])
def test_documents_take_less_than_without_what_all_say(built: demo.Built) -> None:
    assert len(packing.packed(built.body)) < 0.8 * len(zlib.compress(built.body))


def test_rows_from_before_there_was_a_dictionary_can_be_read() -> None:
    assert packing.unpacked(zlib.compress(b"{}")) == b"{}"


def test_what_was_never_packed_is_an_error() -> None:
    with pytest.raises(zlib.error):
        packing.unpacked(b"{}")


def test_the_dictionary_never_changes() -> None:
    """A row that was packed with it can be read by no other: add a new one, under another first byte."""
    assert (
        hashlib.sha256(phrases.FIRST).hexdigest()
        == "159b7d46369802adcfea6b395fbdc7aef94a648b17c904f605104847f3b2cd18"
    )
    assert packing.unpacked(bytes.fromhex("012330300200")) == b"org.opencontainers.image.source"
