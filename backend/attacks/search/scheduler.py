"""The queue: phases of many samples share passes of a fixed width, and the next in line takes a place that falls free.

A sample's attacks are a script, a generator that yields what it waits for: one walker (a phase to run) or a list of
scripts (to run side by side). What a script sees are its own results alone, and arithmetic is that of a fixed width,
so that a sample's rows do not depend on the other samples in the pass, nor on their order.
"""

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from backend.attacks.network.classifier import Classifier
from backend.attacks.norms import Norm
from backend.attacks.search.phases import Rows, Walker

Script = Generator[Any, Any, Any]
AHEAD = 2  # scripts are begun while fewer than this many passes' worth of walkers wait


@dataclass
class Thread:
    """A script that runs, the script that waits for its end, and the results that it waits for itself."""

    script: Script
    parent: "Thread | None" = None
    place: int = 0
    results: list[Any] = field(default_factory=list)
    missing: int = 0


class Slots:
    """The walkers of one pass, grouped by kind of phase; all need the gradient or none does."""

    def __init__(self, classifier: Classifier, norm: Norm) -> None:
        self.classifier = classifier
        self.norm = norm
        self.waiting: deque[tuple[Walker, Thread]] = deque()
        self.groups: dict[Any, tuple[list[tuple[Walker, Thread]], Rows]] = {}

    @property
    def size(self) -> int:
        """Walkers in places."""
        return sum(len(members) for members, _ in self.groups.values())

    def fill(self) -> None:
        """Give every free place to the one who has waited longest."""
        admitted: dict[Any, list[tuple[Walker, Thread]]] = {}
        for _ in range(min(self.classifier.width - self.size, len(self.waiting))):
            member = self.waiting.popleft()
            admitted.setdefault(type(member[0].phase), []).append(member)
        for kind, members in admitted.items():
            rows = kind.start(self.norm, [walker for walker, _ in members])
            if kind in self.groups:
                others, standing = self.groups[kind]
                members = others + members
                rows = {name: torch.cat([standing[name], rows[name]]) for name in rows}
            self.groups[kind] = (members, rows)

    def step(self) -> list[tuple[Walker, Thread]]:
        """One pass for everyone; gives those whose phase has ended, who leave their places."""
        kinds = list(self.groups)
        points = [self.groups[kind][1]["point"] if kind.needs_gradient else self.look(kind) for kind in kinds]
        sizes = [len(part) for part in points]
        if kinds[0].needs_gradient:

            def direct(logits: Tensor) -> Tensor:
                parts = torch.split(logits, sizes)
                return torch.cat([k.direct(self.groups[k][1], part) for k, part in zip(kinds, parts, strict=True)])

            logits, gradients = self.classifier.differentiate(torch.cat(points), direct)
        else:
            logits = gradients = self.classifier.classify(torch.cat(points))
        ended: list[tuple[Walker, Thread]] = []
        for kind, own_logits, own_gradients in zip(
            kinds, torch.split(logits, sizes), torch.split(gradients, sizes), strict=True
        ):
            ended += self.advance(kind, own_logits, own_gradients)
        return ended

    def look(self, kind: Any) -> Tensor:
        """The points that a kind without gradients asks about."""
        points: Tensor = kind.look(self.norm, self.groups[kind][1])
        return points

    def advance(self, kind: Any, logits: Tensor, gradients: Tensor) -> list[tuple[Walker, Thread]]:
        """Let one kind take its step and part with those who are done."""
        members, rows = self.groups[kind]
        is_done = kind.advance(self.norm, rows, logits, gradients)
        rows["step"] = rows["step"] + 1
        is_done = is_done | (rows["step"] >= rows["steps"])
        places = is_done.nonzero()[:, 0].tolist()
        if not places:
            return []
        distances = rows["distance"].tolist()
        for place in places:
            read_back(members[place][0], rows, place, distances[place])
        kept = [place for place in range(len(members)) if place not in set(places)]
        if kept:
            chosen = torch.tensor(kept, device=logits.device)
            self.groups[kind] = ([members[place] for place in kept], {n: rows[n][chosen] for n in rows})
        else:
            del self.groups[kind]
        return [members[place] for place in places]


NOTED = ("radius", "others", "estimates", "left")


def read_back(walker: Walker, rows: Rows, place: int, distance: float) -> None:
    """Put what a phase reached into its walker."""
    walker.point, walker.best, walker.distance = rows["point"][place], rows["best"][place], distance
    walker.notes = {name: rows[name][place] for name in NOTED if name in rows}


def run_scripts(classifier: Classifier, norm: Norm, scripts: Iterator[Script]) -> None:
    """Run every script to its end. Cost: what they ask for, and what fills up passes that are not full."""
    slots = {True: Slots(classifier, norm), False: Slots(classifier, norm)}

    def proceed(thread: Thread, result: Any) -> None:
        while True:
            try:
                wish = thread.script.send(result)
            except StopIteration as end:
                parent = thread.parent
                if parent is None:
                    return
                parent.results[thread.place] = end.value
                parent.missing -= 1
                if parent.missing:
                    return
                thread, result = parent, parent.results
                continue
            if isinstance(wish, Walker):
                slots[wish.phase.needs_gradient].waiting.append((wish, thread))
                return
            thread.results, thread.missing = [None] * len(wish), len(wish)
            for place, script in enumerate(wish):
                proceed(Thread(script, thread, place), None)
            if wish:
                return
            result = []

    is_more = True
    while True:
        while is_more and sum(len(each.waiting) for each in slots.values()) < AHEAD * classifier.width:
            script = next(scripts, None)
            is_more = script is not None
            if script is not None:
                proceed(Thread(script), None)
        for each in slots.values():
            each.fill()
        # A full pass first; otherwise the fuller one.
        fullest = max(slots.values(), key=lambda each: each.size)
        if not fullest.size:
            return
        for walker, thread in fullest.step():
            proceed(thread, walker)
