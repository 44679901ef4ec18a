"""How much a request may bring along, and what is said of more."""

import logging
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.web.conftest import Visitor

pytestmark = pytest.mark.django_db

THEME = "/-/theme/"
LARGEST = 2_621_440


def test_a_form_that_is_too_large_is_413(bob: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        page = bob.post(THEME, {"theme": "dark", "more": "x" * LARGEST})

    assert page.status_code == 413
    assert "That is too large" in page.text
    assert "theme" not in page.cookies
    assert f"refused POST {THEME}: RequestDataTooBig" in caplog.messages
    assert not any(record.exc_info for record in caplog.records), "no stack trace for what anyone can send"


def test_a_form_of_many_parts_counts_as_one(bob: Visitor) -> None:
    page = bob.post(THEME, {f"part{number}": "x" * 300_000 for number in range(9)})
    assert page.status_code == 413


def test_a_form_with_too_many_fields_is_refused(bob: Visitor) -> None:
    page = bob.post(
        THEME, "&".join(f"a{n}=1" for n in range(1001)), content_type="application/x-www-form-urlencoded"
    )
    assert page.status_code == 400
    assert "too many fields" in page.text


def test_an_address_with_too_many_parts_is_refused(bob: Visitor) -> None:
    page = bob.get(f"/-/search/?{'&'.join('q' * 1001)}")
    assert page.status_code == 400
    assert "too many fields" in page.text


def test_no_form_takes_files(bob: Visitor) -> None:
    page = bob.post(THEME, {"theme": "dark", "file": SimpleUploadedFile("a.txt", b"hello")})
    assert page.status_code == 400
    assert "No form here takes files" in page.text


def test_a_form_of_the_usual_size_is_taken(bob: Visitor) -> None:
    page = bob.post(THEME, {"theme": "dark", **{f"a{number}": "x" * 2000 for number in range(900)}})
    assert page.status_code == 303
    assert page.cookies["theme"].value == "dark"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"a=1"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_without_a_stack_trace(
    bob: Visitor, kind: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    page = bob.post(THEME, body, content_type=kind)

    assert page.status_code in {303, 400}
    assert not any(record.exc_info for record in caplog.records)


def test_a_program_sends_no_more_than_that(alice: Visitor) -> None:
    answer: Any = alice.post("/api/v1/actions", b"x" * (LARGEST + 1), content_type="application/json")

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too-large"


def test_a_program_asks_with_no_more_parts_either(alice: Visitor) -> None:
    answer: Any = alice.get(f"/api/v1/registries?{'&'.join('q' * 1001)}")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad-request"
