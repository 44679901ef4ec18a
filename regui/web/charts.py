"""Charts as plain numbers for inline SVG: a line over time, and rectangles for sizes within sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import squarify

from regui.index.snapshots import Point


@dataclass(frozen=True)
class Line:
    """A line over time in a box of that size: `path` is its stroke, `area` the same down to the ground."""

    width: int
    height: int
    path: str
    area: str
    first: Point
    last: Point
    most: int


def line(points: Sequence[Point], width: int, height: int, *, margin: int = 2) -> Line | None:
    """The line through these points from nothing upwards; None when there are too few to draw one."""
    if len(points) < 2:
        return None
    first, last = points[0], points[-1]
    days = (last.day - first.day).days or 1
    most = max(point.size for point in points) or 1
    marks = [
        (
            width * (point.day - first.day).days / days,
            height - margin - (height - 2 * margin) * point.size / most,
        )
        for point in points
    ]
    path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in marks)
    return Line(width, height, path, f"{path} L{width} {height} L0 {height} Z", first, last, most)


@dataclass(frozen=True)
class Curve:
    """Steps over a number, in a box of that size, with a mark at one of them: `x` and `y`."""

    width: int
    height: int
    path: str
    area: str
    x: str
    y: str
    most: int


def curve(points: Sequence[tuple[int, int]], value: int, width: int, height: int) -> Curve:
    """The steps through these points, each a number and a size, from nothing upwards; marked where the number
    is that value. There must be two of them at least, the numbers rising."""
    (first, _), (last, _) = points[0], points[-1]
    most = max(size for _, size in points) or 1
    marks = {
        number: (width * (number - first) / (last - first), height - (height - 4) * size / most)
        for number, size in points
    }
    (x, y), *rest = marks.values()
    path = f"M{x:.1f} {y:.1f}" + "".join(f" H{x:.1f} V{y:.1f}" for x, y in rest)
    x, y = marks[value]
    return Curve(width, height, path, f"{path} V{height} H0 Z", f"{x:.1f}", f"{y:.1f}", most)


@dataclass(frozen=True)
class Size:
    """Something of that many bytes: `name` leads to it, `label` is what there is room to say."""

    name: str
    label: str
    size: int


@dataclass(frozen=True)
class Box:
    """A rectangle; `label` is cut to its width and empty where there is no room at all."""

    name: str
    label: str
    size: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Group:
    """A rectangle with others in it, below its title."""

    box: Box
    boxes: Sequence[Box]


@dataclass(frozen=True)
class Treemap:
    width: int
    height: int
    groups: Sequence[Group]


# In units of the drawing: a letter's width, the height of a title, the room around things.
LETTER, TITLE, GAP = 6.6, 20, 1.5
LEAST = 26


def treemap(groups: Sequence[tuple[Size, Sequence[Size]]], width: int, height: int) -> Treemap:
    """Rectangles as large as the sizes within each group, in a drawing of that shape; the largest first.
    Whatever has no size has no rectangle."""
    sums = [(head, [one for one in inner if one.size > 0]) for head, inner in groups]
    sums = sorted(((head, inner) for head, inner in sums if inner), key=lambda found: -total(found[1]))
    outer = boxes([Size(head.name, head.label, total(inner)) for head, inner in sums], 0, 0, width, height)
    found = []
    for box, (head, inner) in zip(outer, sums, strict=True):
        titled = box.height > TITLE * 2 and bool(box.label)
        top = TITLE if titled else 0
        inside = boxes(
            sorted(inner, key=lambda one: -one.size),
            box.x + GAP,
            box.y + GAP + top,
            max(box.width - 2 * GAP, 0.1),
            max(box.height - 2 * GAP - top, 0.1),
        )
        label = box.label if titled else ""
        whole = Box(head.name, label, head.size, box.x, box.y, box.width, box.height)
        found.append(Group(whole, inside))
    return Treemap(width, height, found)


def total(sizes: Sequence[Size]) -> int:
    return sum(one.size for one in sizes)


def boxes(sizes: Sequence[Size], x: float, y: float, width: float, height: float) -> list[Box]:
    """Rectangles that fill the one given, of sizes in falling order."""
    if not sizes:
        return []
    areas = squarify.normalize_sizes([one.size for one in sizes], width, height)
    found = []
    for one, at in zip(sizes, squarify.squarify(areas, x, y, width, height), strict=True):
        room = max(at["dx"] - GAP, 0.1), max(at["dy"] - GAP, 0.1)
        found.append(Box(one.name, fitted(one.label, *room), one.size, at["x"], at["y"], *room))
    return found


def fitted(label: str, width: float, height: float) -> str:
    """As much of a label as there is room for; nothing where too little of it would be left."""
    letters = int((width - 10) / LETTER)
    if height < LEAST or letters < min(len(label), 4):
        return ""
    return label if len(label) <= letters else label[: letters - 1] + "…"
