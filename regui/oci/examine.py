"""Everything there is to find out about a registry, in one go."""

from collections.abc import Callable
from dataclasses import dataclass

from regui.oci import families
from regui.oci.client import Client
from regui.oci.errors import BadCertificate, Denied, Error, Unauthorized, Unreachable
from regui.oci.families import Greeting
from regui.oci.probes import Finding, find_clock, said, unasked

# A repository to ask about where none is known: distribution answers the same for one that isn't there.
NOBODY = "regui/nobody"


@dataclass(frozen=True)
class Sample:
    """What to ask about: a repository, a manifest and a blob in it, as far as any is known."""

    name: str = ""
    manifest: str = ""
    blob: str = ""


def examine(client: Client, sample: Sample) -> dict[str, Finding]:
    """What was found, by a short name; what couldn't be asked is left out. It sends about ten requests, none
    of which changes anything, and never raises an `Error`."""
    try:
        greeting = client.greet()
    except Error as error:
        return {"reachable": Finding("no", str(error), "GET /v2/: no answer")}
    found = {"clock": find_clock(greeting)}
    found |= signed_in(client, greeting)
    if found["reachable"].state != "yes" or found["auth"].state != "yes":
        return found
    name = sample.name or NOBODY
    questions: dict[str, Callable[[], Finding]] = {
        "family": lambda: client.find_family(greeting),
        "catalog": client.find_catalog,
        "writes": lambda: client.find_writes(name),
        "deletes": lambda: client.find_deletes(name),
        "untags": lambda: client.find_untags(name),
    }
    if sample.manifest:
        questions["referrers"] = lambda: client.find_referrers(name, sample.manifest)
    if sample.blob:
        questions["ranges"] = lambda: client.find_ranges(name, sample.blob)
    for key, question in questions.items():
        try:
            found[key] = question()
        except Unreachable:
            break  # it went away meanwhile: what is known of it from before still holds
        except Error as error:
            found[key] = unasked(error)
    return settled(found, known=bool(sample.name))


def settled(found: dict[str, Finding], *, known: bool) -> dict[str, Finding]:
    """The findings, less what they can't prove together: that a registry is read-only explains why it
    refuses deletes, and without a repository only distribution's word on deletes counts."""
    unproven = Finding("unknown", "No repository is known to ask about.")
    is_distribution = "family" in found and found["family"].detail in {
        families.DISTRIBUTION_2,
        families.DISTRIBUTION_3,
    }
    changes: dict[str, Finding] = {}
    writes = found.get("writes")
    for key in ("writes", "deletes", "untags"):
        if key in found and not known and not is_distribution:
            changes[key] = unproven
        elif key != "writes" and key in found and writes is not None and writes.state == "no":
            changes[key] = Finding("unknown", "It is read-only, which hides this.", found[key].evidence)
    return found | changes


def signed_in(client: Client, greeting: Greeting) -> dict[str, Finding]:
    """Whether a registry is there, and whether it lets us in, and how."""
    offered = [one.scheme for one in greeting.challenges]
    try:
        base = client.ping()
    except (Unauthorized, Denied) as error:
        there = Finding("yes", "", greeting.said)
        return {"reachable": there, "auth": Finding("no", str(error), f"GET /v2/: {said(error)}")}
    except Error as error:
        kind = "the certificate" if isinstance(error, BadCertificate) else said(error)
        return {"reachable": Finding("no", str(error), f"GET /v2/: {kind}"), "auth": Finding("unknown")}
    there = Finding("yes", base.api_version, "GET /v2/: 200")
    ways = [way_of(greeting, scheme) for scheme in dict.fromkeys(offered)]
    detail = ", ".join(filter(None, ways)) or "nobody is asked who they are"
    return {"reachable": there, "auth": Finding("yes", detail, greeting.said)}


def way_of(greeting: Greeting, scheme: str) -> str:
    """One way to sign in, with the server that gives out tokens; empty for one that regui doesn't speak."""
    if scheme == "basic":
        return "user name and password (Basic)"
    if scheme != "bearer":
        return ""
    realm = next((one.get("realm") for one in greeting.challenges if one.scheme == "bearer"), "")
    return f"tokens (Bearer) from {realm.partition('?')[0][:120]}" if realm else "tokens (Bearer)"
