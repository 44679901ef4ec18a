"""The plan that carries a policy out in one repository: the one that its preview shows and `run` takes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from regui.actions.plans import Plan
from regui.index import fetch
from regui.index.models import Repository
from regui.retention.policy import Policy


def look(
    repository: Repository,
    policy: Policy,
    others: Sequence[Policy],
    now: datetime,
    *,
    run: str = "",
    max_age: timedelta | None = fetch.MAX_AGE,
    budget: float = fetch.CHECK_BUDGET,
) -> Plan:
    """The plan of what the policy drops in the repository, after asking the registry what its tags are on.
    `others` are the registry's other policies that are in force, whose keep rules hold here too; `run` is the
    key of the run that it is for, written down with the action. With a `max_age` of None nothing is asked."""
    raise NotImplementedError
