"""An image's history, read as the Dockerfile it came from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from regui import oci

INSTRUCTIONS = frozenset(
    [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)
SHELL = re.compile(r"(?:/bin/(?:ba|a)?sh -(?:[eux]*)c|cmd /S /C|powershell -Command)\s+", re.IGNORECASE)
# What the classic builder puts before a step that ran with build arguments: |2 VERSION=1 DEBUG= /bin/sh -c …
ARGUMENTS = re.compile(r"\|\d+ .*?(?=/bin/(?:ba|a)?sh -)", re.DOTALL)
# Builders join continued lines and leave their indentation behind.
JOINT = re.compile(r"(?:(?<=;)|(?<=&&)|(?<=\|\|)|(?<=\\))(?:\t|[ \t]{2,})|[ \t]{2,}(?=&&|\|\|)")


@dataclass(frozen=True)
class Step:
    """One entry of the history. `instruction` is empty for what is no Dockerfile's step; then `text` is all
    there is."""

    instruction: str
    text: str
    comment: str = ""
    created: datetime | None = None
    layer: int | None = None

    def __str__(self) -> str:
        return f"{self.instruction} {self.text}".strip()


def steps(history: Sequence[oci.History]) -> list[Step]:
    """The steps in order, each with the number of the layer it made (from 1), or None when it made none."""
    found, layer = [], 0
    for entry in history:
        layer += not entry.empty_layer
        instruction, text = instruction_of(entry.created_by)
        found.append(
            Step(instruction, text, entry.comment, entry.created, layer=None if entry.empty_layer else layer)
        )
    return found


def instruction_of(created_by: str) -> tuple[str, str]:
    """A recorded command as (instruction, arguments): ("RUN", "apt-get update"); ("", the text) for any
    other."""
    text = created_by.strip().removesuffix("# buildkit").strip()
    word, _, rest = text.partition(" ")
    if word == "RUN":
        return "RUN", lines(shell_command(rest))
    if word in INSTRUCTIONS:
        return word, rest.strip()
    command = shell_command(text)
    if command == text:
        return "", text
    if command.startswith("#(nop)"):
        word, _, rest = command.removeprefix("#(nop)").strip().partition(" ")
        return (word, rest.strip()) if word in INSTRUCTIONS else ("", f"{word} {rest}".strip())
    return "RUN", lines(command)


def shell_command(text: str) -> str:
    """What the shell was given, without the shell and the build arguments before it."""
    return SHELL.sub("", ARGUMENTS.sub("", text.strip(), count=1), count=1).strip()


def lines(command: str) -> str:
    """A command broken where its author broke it."""
    return JOINT.sub(" \\\n    ", command)
