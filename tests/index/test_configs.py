"""What is kept of configs says on every page what the whole would."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regui import oci
from regui.index import configs
from tests import images

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = sorted({*configs.FIELDS, *configs.RUNTIME, "rootfs", "container_config", "OnBuild"})
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
STEP = st.fixed_dictionaries(
    {}, optional={"created": st.just(images.CREATED), "created_by": st.text(), "comment": VALUES}
)


def shown(config: bytes) -> oci.Config:
    """All that a page could show of it."""
    return replace(oci.Config.parse(config), diff_ids=())


@given(FIELDS, FIELDS | VALUES, st.lists(STEP | VALUES, max_size=3) | VALUES)
def test_what_is_kept_shows_what_the_whole_does(fields: dict[str, Any], runtime: Any, history: Any) -> None:
    whole = json.dumps(fields | {"config": runtime, "history": history}).encode()

    assert shown(configs.reduced(whole)) == shown(whole)


def test_what_no_page_shows_is_left_out() -> None:
    (config, *_) = images.image(labels={"team": "ops"}).blobs
    kept = configs.reduced(config)

    assert "rootfs" not in json.loads(kept)
    assert json.loads(kept)["config"]["Labels"] == {"team": "ops"}
    assert configs.reduced(kept) == kept


@pytest.mark.parametrize("config", [b'{"created": 1e999}', b'{"author": ' + b"[" * 900 + b"]" * 900 + b"}"])
def test_what_cannot_be_written_as_it_was_read_is_as_good_whole(config: bytes) -> None:
    assert shown(configs.reduced(config)) == shown(config)
