"""The kinds of rules as the form of a policy offers them: what each is called, and what it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from regui.retention import rules
from regui.retention.policy import DROP, KEEP

# What a select offers: values with their words.
Choices = tuple[tuple[str, str], ...]

BY: Choices = (
    (rules.CREATED, "when the image was created"),
    (rules.FIRST_SEEN, "when regui first saw it"),
    (rules.PUSHED, "when it was pushed, as notified"),
)
ORDER: Choices = (*BY, (rules.VERSION, "by version"))
PER: Choices = (("tag", "each tag"), ("image", "each image, with all its tags"))
UNKNOWN: Choices = ((KEEP, "kept"), (DROP, "as if it were old"))


@dataclass(frozen=True)
class Ask:
    """One thing that a rule asks for. `usual` is what it is without an answer; `more` says that few need
    it."""

    name: str
    label: str
    hint: str = ""
    holds: str = ""
    choices: Choices = ()
    more: bool = False
    wide: bool = False
    number: bool = False

    @property
    def usual(self) -> str:
        return self.choices[0][0] if self.choices else ""


@dataclass(frozen=True)
class Kind:
    """A kind of rule: its name on the form, what it does, and what a new one begins with."""

    verb: str
    kind: str
    title: str
    does: str
    asks: tuple[Ask, ...] = ()
    begins: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What the form calls it: "keep newest"."""
        return f"{self.verb} {self.kind}"


TAGS = Ask("tags", "Of the tags", "Patterns such as v* or pr-*, with commas between", "* (all)", wide=True)
WHICH = Ask("tags", "Tags", "Patterns such as v* or pr-*, with commas between", wide=True)
REGEX = Ask(
    "regex",
    "Regular expression",
    "The whole name has to match, as RE2 has it",
    r"v[0-9]+\.[0-9]+",
    more=True,
    wide=True,
)
BOTH = (TAGS, REGEX)
NO_DATE = Ask("unknown", "What has no date is", choices=UNKNOWN, more=True)
SINCE = Ask("by", "Its age counts from", choices=BY)
LENGTH = "Such as 30d, 12h"

KINDS: Mapping[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            KEEP,
            "newest",
            "Newest",
            "Keeps the newest tags of each repository.",
            (
                Ask("count", "How many", number=True),
                TAGS,
                Ask("by", "Newest is told", choices=ORDER),
                Ask("per", "Counted is", choices=PER, more=True),
                NO_DATE,
                REGEX,
            ),
            {"count": "10"},
        ),
        Kind(
            KEEP,
            "younger",
            "Younger than",
            "Keeps what is younger than this.",
            (Ask("than", "Younger than", LENGTH), TAGS, SINCE, NO_DATE, REGEX),
            {"than": "14d"},
        ),
        Kind(
            KEEP,
            "pulled",
            "Pulled within",
            "Keeps what was pulled lately, as the registry's notifications tell.",
            (
                Ask("within", "Pulled within", LENGTH),
                TAGS,
                Ask(
                    "unknown",
                    "While pulls aren't known for so long, the rest is",
                    choices=((KEEP, "kept"), (DROP, "as if nobody had pulled it")),
                    more=True,
                ),
                REGEX,
            ),
            {"within": "90d"},
        ),
        Kind(KEEP, "matching", "By name", "Keeps tags by their names.", (WHICH, REGEX)),
        Kind(
            KEEP,
            "versions",
            "Versions",
            "Keeps tags that are versions within a range.",
            (Ask("range", "Range", "As npm writes them: >=1.2 <2, ^1.4, 1.x || 2.x", ">=1.2 <2"), *BOTH),
        ),
        Kind(
            KEEP,
            "label",
            "Label",
            "Keeps images with this label or annotation.",
            (Ask("label", "Label", "A name, or name=value", "org.example.keep=yes"), *BOTH),
        ),
        Kind(
            KEEP,
            "protected",
            "Protected",
            "Says what holds in any case: protected tags stay.",
            BOTH,
        ),
        Kind(
            KEEP,
            "in-use",
            "In use",
            "Says what holds in any case: what runs somewhere stays.",
            BOTH,
        ),
        Kind(
            DROP,
            "older",
            "Older than",
            "Drops what is older than this.",
            (
                Ask("than", "Older than", LENGTH),
                TAGS,
                SINCE,
                Ask("unknown", "What has no date is", choices=((KEEP, "kept"), (DROP, "dropped")), more=True),
                REGEX,
            ),
            {"than": "30d"},
        ),
        Kind(
            DROP,
            "not-pulled",
            "Not pulled for",
            "Drops what nobody pulled for so long, as far as that is known without a gap.",
            (Ask("for", "Not pulled for", LENGTH), *BOTH),
            {"for": "90d"},
        ),
        Kind(
            DROP,
            "pre-releases",
            "Pre-releases",
            "Drops pre-releases, such as 1.2-rc1, whose release is there.",
            BOTH,
        ),
        Kind(
            DROP,
            "superseded",
            "Older patches",
            "Drops releases, such as 1.2.3, of which a newer patch is there, such as 1.2.4.",
            BOTH,
        ),
        Kind(DROP, "matching", "By name", "Drops tags by their names.", (WHICH, REGEX)),
    )
}
# For a select, by verb.
OFFERED = tuple(
    (words, [(kind.key, kind.title) for kind in KINDS.values() if kind.verb == verb])
    for verb, words in ((KEEP, "Keep"), (DROP, "Drop"))
)
