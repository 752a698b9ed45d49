"""Preset `fast`: is there an adversarial within eps? Staged by margin, and what is far from eps leaves early."""

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.attacks.scripts import Sample, draw_patterns, rank
from backend.attacks.looks import Bisect, Choose, Search
from backend.attacks.slots import Script
from backend.attacks.walks import Ascend, Minimise

import os, json
CFG = dict(steps=30, bands=[(1.5,1),(1.15,2),(1.04,9),(1.04,12),(1.025,36)], div=7, asc=23, pat=8, patasc=10, search=0, sband=1.3, t2=2.0,t3=1.5, cyc=3, ps=1.0, sfirst=0.1, kinds="o")
CFG.update(json.loads(os.environ.get('CFG','{}')))

def seek_verdict(sample: Sample, eps: float) -> Script:
    """Every stage on one sample, until something within eps is found."""
    c = CFG; eps = eps * (1 - 1e-6)
    walker = yield sample.send(Minimise(c['steps']))
    sample.note("fmn-untargeted", walker)
    if sample.nearest[1] <= eps: return
    order = yield from rank(sample, 4)
    for number, (target, band) in enumerate(zip(order[:3], (1e9, c['t2'], c['t3'])), start=1):
        if eps * band < sample.nearest[1] < torch.inf: break
        noise = 0.25 * sample.draw_unit(f"fmn-target-{number}")
        walker = yield sample.send(Minimise(c['steps'], target, noise=noise))
        sample.note(f"fmn-target-{number}", walker)
        if sample.nearest[1] <= eps: return
    done = 0
    for band, count in c['bands']:
        if eps * band < sample.nearest[1] < torch.inf: continue
        yield [run_restart(sample, eps, order, done + k) for k in range(count)]
        done += count
        if sample.nearest[1] <= eps: return
    if c['search'] and not (c['sband'] * eps < sample.nearest[1] < torch.inf):
        draws = ((sample.draw("search", torch.Size([c['search'], 2 + len(sample.image)]))+1)/2).clamp_max(1-1e-6)
        point = sample.nearest[0]
        walker = yield sample.send(Search(draws, eps, c['sfirst'], True), point)
        sample.note("search", walker)

def run_restart(sample, eps, order, number):
    c = CFG
    kind = c['kinds'][number % len(c['kinds'])]
    target = (order[0] if order else -1, order[1] if len(order) > 1 else -1, -1)[(number) % 3]
    if kind == 'r' : 
        target = int(torch.randint(0, sample.classes-1, (1,), generator=torch.Generator().manual_seed(hash((sample.content, number)) % 2**31)).item()); target += target >= sample.label
    weights = sample.draw(f"odi {number} w", torch.Size([sample.classes]))
    if kind in 'or':
        noise = sample.draw(f"odi {number}", sample.image.shape)
        walker = yield sample.send(Ascend(c['div'], eps, "weights", weights=weights, last_step=1.0, stops=True), sample.image + eps * noise)
        if walker.distance == torch.inf:
            walker = yield sample.send(Ascend(c['asc'], eps, "gap", target, first_step=c.get('af',0.5), stops=True), before=walker)
    elif kind == 's':   # signs then odi
        noise = draw_patterns(sample, f"pat {number}", 4)[number % 4]
        walker = yield sample.send(Ascend(c['div'], eps, "weights", weights=weights, last_step=1.0, stops=True), sample.image + eps * noise)
        if walker.distance == torch.inf:
            walker = yield sample.send(Ascend(c['asc'], eps, "gap", target, first_step=c.get('af',0.5), stops=True), before=walker)
    elif kind == 'p':
        signs = draw_patterns(sample, f"pat {number}", c['pat'])
        walker = yield sample.send(Choose(signs, eps, 1.0))
        if walker.distance == torch.inf:
            walker = yield sample.send(Ascend(c['patasc'], eps, "cross-entropy", first_step=2.0, last_step=0.5, stops=True), before=walker)
        if walker.distance == torch.inf:
            walker = yield sample.send(Ascend(c['asc'], eps, "gap", target, first_step=c.get('af',0.5), stops=True), before=walker)
    sample.note("odi", walker)
