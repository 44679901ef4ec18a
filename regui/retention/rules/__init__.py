"""The rules a policy is made of. Each finds the tags it speaks of among those of one repository, and those it
would speak of if only it knew more of them."""

from regui.retention import reading
from regui.retention.reading import Invalid, Path, Reader
from regui.retention.rules.base import Choice, Found, Rule
from regui.retention.rules.dates import CREATED, FIRST_SEEN, PUSHED, VERSION, Newest, Older, Younger
from regui.retention.rules.names import (
    DropMatching,
    InUse,
    Labelled,
    Matching,
    PreReleases,
    Protected,
    Superseded,
    Versions,
)
from regui.retention.rules.pulls import NotPulled, Pulled

__all__ = ["CREATED", "FIRST_SEEN", "KINDS", "PUSHED", "VERSION", "Choice", "Found", "Rule", "read"]

KINDS: dict[tuple[str, str], type[Rule]] = {
    (rule.verb, rule.kind): rule
    for rule in (
        Newest,
        Younger,
        Pulled,
        Matching,
        Versions,
        Labelled,
        Protected,
        InUse,
        Older,
        NotPulled,
        PreReleases,
        Superseded,
        DropMatching,
    )
}


def read(value: object, path: Path) -> Rule:
    """The rule that plain values are; raises `Invalid`."""
    given = Reader.of(value, path, "a rule")
    verbs = [verb for verb in ("keep", "drop") if verb in given.given]
    if len(verbs) != 1:
        raise Invalid(path, "A rule has either keep or drop, with what it is about.")
    kinds = [kind for verb, kind in KINDS if verb == verbs[0]]
    kind = given.take(verbs[0], reading.one_of(*kinds))
    if given.wrong:  # what else may stand there hangs on it
        raise Invalid.of(given.wrong)
    rule = KINDS[verbs[0], kind].read(given)
    given.end()
    return rule
