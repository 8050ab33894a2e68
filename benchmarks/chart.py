"""Charts for the docs."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def bar_chart(path: Path, title: str, unit: str, bars: Sequence[tuple[str, float]]) -> None:
    """Write a PNG of horizontal bars, the first one being ours."""
    figure, axes = plt.subplots(figsize=(9, 0.7 * len(bars) + 1.4), layout="constrained")
    names = [name for name, _ in bars][::-1]
    values = [value for _, value in bars][::-1]
    colours = ["#9aa5b1"] * (len(bars) - 1) + ["#c2571a"]
    drawn = axes.barh(names, values, color=colours)
    axes.bar_label(drawn, [f"{value:,.0f}" for value in values], padding=4)
    axes.set_title(title, loc="left")
    axes.set_xlabel(unit)
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
    plt.close(figure)
