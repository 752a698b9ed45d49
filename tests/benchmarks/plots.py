"""The two pictures people ask for: margin quality against gradients, and time against samples."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import plotly.graph_objects as go

from tests.benchmarks.costs import Point
from tests.benchmarks.tables import Table

OURS = "#0b6e99"
OTHERS = ("#8a8f98", "#b07d2b", "#7a5c99", "#4f8a5b", "#a34f5c", "#5f7f8f", "#9a9440", "#2f3e46", "#c97fa3")
# Seven symbols and nine colours: the same pair comes back after 63 lines.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1000, 620
SECONDS = [value * scale for scale in (0.01, 0.1, 1, 10, 100, 1000) for value in (1, 2, 5)]
TICKS = [value * scale for scale in (1, 10, 100, 1000) for value in (1, 2, 3, 5)]


def name_family(attack: str) -> str:
    """`adv-lib FMN 100` and `adv-lib FMN 300` are one line."""
    words = attack.split()
    return " ".join(words[:-1]).rstrip(",") if words[-1].isdigit() else attack


def lay_out(title: str, abscissa: str, ordinate: str) -> go.Layout:
    return go.Layout(
        title=title,
        xaxis={"title": abscissa, "type": "log", "tickvals": TICKS},
        yaxis={"title": ordinate, "type": "log"},
        template="plotly_white",
        width=WIDTH,
        height=HEIGHT,
        legend={"itemsizing": "constant"},
    )


def paint(place: int, is_ours: bool) -> dict[str, object]:
    colour = OURS if is_ours else OTHERS[place % len(OTHERS)]
    return {"color": colour, "size": 13 if is_ours else 9, "symbol": SYMBOLS[place % len(SYMBOLS)]}


def draw_margins(tables: Sequence[Table]) -> list[tuple[str, go.Figure]]:
    """One figure per table of margins: mean ratio to the best known against gradients per sample."""
    figures = []
    for table in tables:
        title = f"{table.title} (lower is better)"
        figure = go.Figure(layout=lay_out(title, "gradients per sample", "mean ratio to the best known margin"))
        families: dict[str, list[dict[str, list[float]]]] = {}
        for record in table.records:
            if "absent" not in record:
                families.setdefault(name_family(record["attack"]), []).append(record)
        for place, (family, records) in enumerate(families.items()):
            points = sorted((median(record["gradients"]), median(record["ratio"])) for record in records)
            is_ours = family.startswith("Thin Ice")
            figure.add_scatter(
                x=[gradients for gradients, _ in points],
                y=[ratio for _, ratio in points],
                name=family,
                mode="lines+markers",
                marker=paint(place, is_ours),
                line={"width": 3 if is_ours else 1.5},
            )
        figure.update_yaxes(tickformat=".2f")
        name = table.title.split(",")[1].split(":")
        figures.append((f"margins-{name[1].strip()}-{name[0].strip()}", figure))
    return figures


def draw_times(points: Sequence[Point], title: str) -> tuple[str, go.Figure]:
    """Processor seconds against samples, both on logarithmic axes."""
    figure = go.Figure(layout=lay_out(title, "samples", "processor seconds, one thread"))
    for place, name in enumerate(dict.fromkeys(point.contestant for point in points)):
        mine = [point for point in points if point.contestant == name]
        sizes = sorted({point.samples for point in mine})
        is_ours = name.startswith("Thin Ice")
        figure.add_scatter(
            x=sizes,
            y=[median(point.seconds for point in mine if point.samples == size) for size in sizes],
            name=name,
            mode="lines+markers",
            marker=paint(place, is_ours),
            line={"width": 3 if is_ours else 1.5},
        )
    figure.update_yaxes(tickvals=SECONDS)
    return "time-against-samples", figure


def write_plots(folder: Path, figures: Sequence[tuple[str, go.Figure]]) -> list[Path]:
    """Standalone .html of each figure, and a .png next to it where a Chromium is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, figure in figures:
        path = folder / f"{name}.html"
        figure.write_html(path, include_plotlyjs=True, full_html=True, config={"displayModeBar": False})
        paths.append(path)
        picture = photograph(path)
        paths += [picture] if picture else []
    return paths


def photograph(page: Path) -> Path | None:
    """A picture of a page by a headless Chromium; None where there is none or it fails."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        return None
    picture = page.with_suffix(".png")
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000"]
    words += [f"--window-size={WIDTH + 40},{HEIGHT + 40}", f"--screenshot={picture.resolve()}", page.resolve().as_uri()]
    try:
        subprocess.run(words, capture_output=True, timeout=60, check=True)
    except (subprocess.SubprocessError, OSError):
        return None
    return picture if picture.exists() else None
