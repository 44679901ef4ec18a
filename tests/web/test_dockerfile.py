"""Reading a history as a Dockerfile, whichever builder wrote it."""

import pytest

from regui import oci
from regui.web.dockerfile import Step, instruction_of, steps


@pytest.mark.parametrize(
    ("recorded", "instruction", "text"),
    [
        ('/bin/sh -c #(nop)  CMD ["bash"]', "CMD", '["bash"]'),
        ("/bin/sh -c #(nop) ADD file:abc in / ", "ADD", "file:abc in /"),
        ("/bin/sh -c apt-get update", "RUN", "apt-get update"),
        ("|2 VERSION=1 DEBUG=a b /bin/sh -c make", "RUN", "make"),
        ("RUN /bin/sh -c make # buildkit", "RUN", "make"),
        ("RUN |1 V=1 /bin/sh -c make # buildkit", "RUN", "make"),
        ("COPY /src /app # buildkit", "COPY", "/src /app"),
        ("ENV PATH=/usr/bin", "ENV", "PATH=/usr/bin"),
        ("WORKDIR /app", "WORKDIR", "/app"),
        ("cmd /S /C powershell", "RUN", "powershell"),
        ("# debian.sh --arch 'amd64' out/", "", "# debian.sh --arch 'amd64' out/"),
        ("bazel build ...", "", "bazel build ..."),
        ("RUN", "RUN", ""),
        ("", "", ""),
    ],
)
def test_a_step_is_read_in_every_builders_way(recorded: str, instruction: str, text: str) -> None:
    assert instruction_of(recorded) == (instruction, text)


def test_a_long_command_is_broken_where_its_author_broke_it() -> None:
    recorded = "/bin/sh -c set -eux; \tapt-get update \t&& apt-get install -y a    && rm -rf /x"
    assert instruction_of(recorded) == (
        "RUN",
        "set -eux; \\\n    apt-get update \\\n    && apt-get install -y a \\\n    && rm -rf /x",
    )


def test_steps_know_the_layer_they_made() -> None:
    history = [
        oci.History(None, "ADD rootfs.tar /", "", empty_layer=False),
        oci.History(None, 'CMD ["sh"]', "", empty_layer=True),
        oci.History(None, "", "from a tool", empty_layer=False),
    ]
    assert steps(history) == [
        Step("ADD", "rootfs.tar /", layer=1),
        Step("CMD", '["sh"]'),
        Step("", "", comment="from a tool", layer=2),
    ]
