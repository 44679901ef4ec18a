"""What of a repository's manifests goes when some of its tags do."""

from collections.abc import Iterable, Mapping


def reached(
    roots: Iterable[int], children: Mapping[int, Iterable[int]], about: Mapping[int, Iterable[int]]
) -> set[int]:
    """These manifests, what they contain, and what speaks about any of these, such as signatures."""
    found = set(roots)
    frontier = list(found)
    while frontier:
        one = frontier.pop()
        for more in (children, about):
            for other in more.get(one, ()):
                if other not in found:
                    found.add(other)
                    frontier.append(other)
    return found


def doomed(
    kept: Iterable[int],
    dropped: Iterable[int],
    children: Mapping[int, Iterable[int]],
    about: Mapping[int, Iterable[int]],
) -> set[int]:
    """The manifests to delete: those that dropped tags are on, with their children and what speaks about
    them, but nothing that a manifest which stays needs. `kept` are the manifests of tags that stay, of what
    is protected or runs somewhere by digest, and those without a tag that stay as they are; `children` says
    what an index contains and `about` what speaks about a manifest, both by keys."""
    return reached(dropped, children, about) - reached(kept, children, about)
