"""`regui activity [ID]`: what was changed, by whom, and how it ended."""

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Prefetch, Q

from regui.accounts.access import Actor
from regui.actions import documents, journal
from regui.actions.models import Action, Item
from regui.actions.plans import shortened
from regui.index import search
from regui.management import speaking, telling
from regui.management.references import action
from regui.management.speaking import Refusal
from regui.web import told, words

# The most actions of one list, and tags that it names of each.
MOST, TAGS = 1000, 20


class Command(speaking.Command):
    help = "List what was changed, the newest first; or tell of one action what became of each of its steps."
    scoped = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", nargs="?", metavar="ID", help="tell of this action alone")
        parser.add_argument("--matching", metavar="QUERY", default="", help="as in the filter of the page")
        parser.add_argument("--limit", type=int, default=50, metavar="N", help=f"how many, {MOST} at most")
        parser.add_argument("--before", metavar="ID", help="those older than this one: the next page")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = self.actor
        if options["id"]:
            self.one(action(actor, options["id"]), actor)
            return
        count = min(max(options["limit"], 1), MOST)
        found = some(actor, options["matching"], options["before"], count + 1)
        page, more = found[:count], len(found) > count
        items = [documents.summary(one) | {"tags": tags(one)} for one in page]
        self.answer({"items": items, "next": page[-1].pk if more else None})
        if self.as_json:
            return
        for one in page:
            self.say(line(one, actor))
        if more:
            self.say(f"There are more: --before {page[-1].pk}", "dim")

    def one(self, found: Action, actor: Actor) -> None:
        """Tell all of one action."""
        if self.as_json:
            self.answer(documents.of_action(found))
            return
        self.say(line(found, actor), "bold")
        for item in telling.items(found.items.all()):
            self.say(*item)
        if found.reason:
            self.say(f"{found.reason} {found.hint}")


def some(actor: Actor, query: str, before: str | None, count: int) -> list[Action]:
    """So many of the actions that the query finds, the newest first, with their first tags. Raises
    `Refusal`."""
    try:
        rows = journal.visible(actor).matching(search.parse(query, search.NAMED))
    except search.Wrong as error:
        raise Refusal(f"This query can't be meant: {error}", code="usage") from error
    if before:
        last = action(actor, before)
        older = Q(started_at__lt=last.started_at) | Q(started_at=last.started_at, pk__lt=last.pk)
        rows = rows.filter(older)
    # An action may have ten thousand items.
    first = Prefetch("items", Item.objects.exclude(tag="")[:TAGS], to_attr="named")
    return list(rows.defer("plan").prefetch_related(None).prefetch_related(first)[:count])


def tags(found: Action) -> list[str]:
    """The tags it is about: the first of them, where that is all that was read."""
    few: list[Item] | None = vars(found).get("named")
    return list(dict.fromkeys(found.tags if few is None else [item.tag for item in few]))


def line(found: Action, actor: Actor) -> str:
    """An action in one line."""
    said = told.Told(found, actor)
    what = words.names(tags(found)) or (shortened(found.digest) if found.digest else "")
    where = f"{said.place} {found.registry}/{found.repository}"
    state = told.STATES[Action.State(found.state)]
    when = f"{found.started_at:%Y-%m-%d %H:%M}"
    done = " ".join(filter(None, [said.verb, what, where]))
    return f"{found.pk}  {when}  {state:<11}  {done}  by {found.actor}"
