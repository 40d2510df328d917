"""Geometry of the charts: numbers into coordinates. What is drawn with them stands in ``macros/charts.html``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Steps between the lines of a scale that people count in.
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: the corners as SVG writes them, and where each value stands."""

    points: str
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plane for lines over evenly spaced days: its lines, and the rules across it as (y, value)."""

    width: int
    height: int
    left: int
    bottom: int
    lines: tuple[Line, ...]
    rules: tuple[tuple[float, int], ...]
    places: tuple[float, ...]


def ceiling(most: int) -> tuple[int, int]:
    """The top of a scale that holds ``most``, and the distance of its rules: round numbers, three to six of them."""
    step, size = 1, 1
    while True:
        for factor in _STEPS:
            step = factor * size
            if step * 5 >= most:
                return max(step, -(-most // step) * step), step
        size *= 10


def plot(series: Sequence[Sequence[int]], *, width: int = 640, height: int = 180) -> Plot:
    """Lines for ``series`` of equal length, all on one scale that begins at zero."""
    left, right, top, bottom = 44, 8, 10, 24
    count = max((len(values) for values in series), default=0)
    highest, step = ceiling(max((value for values in series for value in values), default=0))
    across = (width - left - right) / max(1, count - 1)
    up = (height - top - bottom) / highest

    def dot(place: int, value: int) -> tuple[float, float]:
        return round(left + place * across, 1), round(height - bottom - value * up, 1)

    lines = []
    for values in series:
        dots = tuple(dot(place, value) for place, value in enumerate(values))
        lines.append(Line(" ".join(f"{x},{y}" for x, y in dots), dots))
    rules = tuple((round(height - bottom - value * up, 1), value) for value in range(0, highest + 1, step))
    places = tuple(round(left + place * across, 1) for place in range(count))
    return Plot(width, height, left, bottom, tuple(lines), rules, places)


def part(value: float, most: float, width: float = 100.0) -> float:
    """How long the bar of ``value`` is where that of ``most`` is ``width``; what is not nothing can be seen."""
    if value <= 0 or most <= 0:
        return 0.0
    return round(max(1.0, width * min(value, most) / most), 1)
