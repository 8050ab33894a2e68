"""What benchmarks leave: figures as JSON, and a chart for the docs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

RESULTS = Path(__file__).parent / "results"


def keep_results(name: str, report: dict[str, Any], title: str, unit: str, bars: Sequence[tuple[str, float]]) -> None:
    """Write a report as JSON beside its chart, and say where."""
    RESULTS.mkdir(exist_ok=True)
    figures, chart = RESULTS / f"{name}.json", RESULTS / f"{name}.png"
    figures.write_text(json.dumps(report, indent=2) + "\n")
    _draw_bars(chart, title, unit, bars)
    print(f"written: {figures}, {chart}")


def _draw_bars(path: Path, title: str, unit: str, bars: Sequence[tuple[str, float]]) -> None:
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
