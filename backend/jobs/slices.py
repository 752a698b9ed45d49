"""Draws a boundary slice: the classes of a dense and a pruned network on the plane through a clean image, the dense
adversarial and the pruned one.

The plane is fixed by what the store holds, so that the same slice comes out again. Where one network has no
adversarial, because it is wrong without any attack or no attack found one, its gradient at the clean image gives the
direction in its place. The points are classified first: where a network contradicts what its evaluation says of them,
nothing is drawn.
"""

import io
import time
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.analysis.planes import Plane, choose_half_width, cut_shape, lay_grid, span_plane
from backend.attacks.contract import OnStep
from backend.attacks.losses import find_best_other, predict
from backend.attacks.network.classifier import Classifier, prepare
from backend.attacks.norms import get_norm
from backend.eps import parse_eps
from backend.errors import AttackFailed, NotFound
from backend.jobs import restoring
from backend.jobs.gathering import EvidenceWork, keep, step_reporter
from backend.jobs.importing import STEP_BEYOND
from backend.jobs.shards import read_shard_row
from backend.jobs.subjects import Subject, load_subject, take_images
from backend.jobs.verification import checked_at_once
from backend.schemas.records import EvidenceRecord, SliceMark
from backend.store import checkpoints, results
from backend.store.artefacts import put_bytes
from backend.store.database import reading
from backend.store.tables import Dataset, Evaluation, Result

Name = Literal["dense", "pruned"]


@dataclass(frozen=True)
class Side:
    """One network with what its evaluation says of the sample; `adversarial` float32 (C, H, W), None without one."""

    name: Name
    title: str
    evaluation: Evaluation
    subject: Subject
    result: Result
    adversarial: Tensor | None


@dataclass(frozen=True)
class Slice:
    """Both sides of a sample and the plane through it; `clean` float32 (C, H, W)."""

    sides: tuple[Side, Side]
    clean: Tensor
    label: int
    plane: Plane
    gradient_of: Name | None

    def image_at(self, places: NDArray[np.float64]) -> Tensor:
        """Images float32 (N, C, H, W) at places (N, 2) of the plane; pixels may leave [0, 1]."""
        change = torch.from_numpy(self.plane.move(places)).reshape(-1, *self.clean.shape)
        return (self.clean.double() + change).float()


def draw_slice(work: EvidenceWork) -> None:
    """The whole slice, as the one step of its evidence.

    Raises:
        AttackFailed: a network contradicts its evaluation, an adversarial cannot be computed again, or the directions
            span no plane.
        NotFound: an evaluation no longer has the sample.
    """
    began = time.monotonic()
    wanted = work.evidence.record.slice
    assert wanted is not None
    drawn = find_slice(work)
    marks = verify_marks(drawn, work.evaluation.norm)
    places = np.array([(mark.x, mark.y) for mark in marks])
    unit_ball = None
    if work.evaluation.norm == "Linf":
        one = np.ones(drawn.clean.numel())
        unit_ball = cut_shape(drawn.plane, -one, one)
    pixels = drawn.clean.double().flatten().numpy()
    half_width = choose_half_width(places, find_ball(work.evaluation, unit_ball))
    grid = drawn.image_at(lay_grid(half_width, wanted.points))
    report = step_reporter(work)
    classes = [classify(side.subject, grid, report, f"{side.name} network") for side in drawn.sides]
    found = wanted.model_copy(
        update={
            "file": store_classes(np.stack(classes).reshape(2, wanted.points, wanted.points)),
            "half_width": half_width,
            "gradient_of": drawn.gradient_of,
            "marks": tuple(marks),
            "unit_ball": None if unit_ball is None else tuple(unit_ball),
            "pixel_box": tuple(cut_shape(drawn.plane, -pixels, 1.0 - pixels)),
            "seconds": round(time.monotonic() - began, 3),
        }
    )
    record = work.evidence.record.merge(EvidenceRecord(slice=found))
    seconds = work.evidence.seconds + time.monotonic() - began
    keep(work, [], [], steps=1, checked=len(marks), refused={}, record=record, seconds=seconds)


def find_slice(work: EvidenceWork) -> Slice:
    """Both sides of the sample, and the plane that they span."""
    index = work.evidence.indices[0]
    with reading() as session:
        row = results.results_of(session, work.evaluation.id, [index]).get(index)
        source = session.get(Evaluation, work.evidence.source_evaluation_id)
    if row is None or source is None:
        raise NotFound("The evaluations of this slice no longer have its sample.")
    sides = (
        find_side("dense", source, row.sample_id, work.device),
        find_side("pruned", work.evaluation, row.sample_id, work.device),
    )
    images, labels = take_images(work.subject.samples, np.asarray([index], dtype=np.int64))
    clean, label = images[0], int(labels[0])
    directions = [find_direction(side, clean, label) for side in sides]
    plane = span_plane(*directions)
    if plane is None:
        raise AttackFailed(
            "The clean image and the two other points lie on one line, so they span no plane.", index=index
        )
    without = next((side.name for side in sides if side.adversarial is None), None)
    return Slice(sides, clean, label, plane, without)


def find_side(name: Name, evaluation: Evaluation, sample_number: int, device: str) -> Side:
    """What an evaluation says of a sample; an adversarial that it came without is computed again first."""
    row = read_result(evaluation.id, sample_number)
    with reading() as session:
        title = checkpoints.names_of(session, [evaluation.checkpoint_id])[evaluation.checkpoint_id]
    if results.lacks_adversarial(row):
        restoring.run(evaluation.id, row.index, device)
        row = read_result(evaluation.id, sample_number)
        if results.lacks_adversarial(row):
            raise AttackFailed(
                f"The adversarial against {title} could not be computed again; the log of its evaluation says why.",
                evaluation_id=str(evaluation.id),
            )
    adversarial = None
    if row.correct and row.shard is not None and row.shard_row is not None:
        adversarial = torch.from_numpy(read_shard_row(row.shard, row.shard_row))
    subject = load_subject(evaluation.checkpoint_id, evaluation.dataset_id, device)
    return Side(name, title, evaluation, subject, row, adversarial)


def read_result(evaluation_id: UUID, sample_number: int) -> Result:
    with reading() as session:
        row = session.get(Result, (evaluation_id, sample_number))
    if row is None:
        raise NotFound("The evaluations of this slice no longer have its sample.")
    return row


def find_direction(side: Side, clean: Tensor, label: int) -> NDArray[np.float64]:
    """From the clean image to the side's adversarial, float64 (D,); without one, where its answer changes fastest.

    That is the gradient of the gap between the label's logit and the best other: up where the network is wrong, so
    towards the label, else down.
    """
    if side.adversarial is not None:
        return (side.adversarial.double() - clean.double()).flatten().numpy()
    labels = torch.tensor([label])
    sign = -1.0 if side.result.correct else 1.0

    def direct(logits: Tensor) -> Tensor:
        weights = torch.zeros_like(logits)
        weights[0, label] = sign
        weights[0, find_best_other(logits, labels.to(logits.device))] = -sign
        return weights

    with prepare(side.subject.network):
        classifier = Classifier(side.subject.network)
        _, gradient = classifier.differentiate(clean[None].to(classifier.device), direct)
    return gradient.cpu().double().flatten().numpy()


def verify_marks(drawn: Slice, norm_name: str) -> list[SliceMark]:
    """The clean image and the adversarials on the plane, each classified by both networks.

    Raises:
        AttackFailed: a network predicts something else than its evaluation says.
    """
    norm = get_norm(norm_name)
    points: list[tuple[Literal["clean", "dense", "pruned"], Tensor]] = [("clean", drawn.clean)]
    points += [(side.name, side.adversarial) for side in drawn.sides if side.adversarial is not None]
    images = torch.stack([image for _, image in points])
    answers: dict[Name, list[int]] = {}
    for side in drawn.sides:
        found = classify(side.subject, images)
        refuse_other(side, "the clean image", int(found[0]), side.result.prediction)
        for place, (name, image) in enumerate(points):
            if name == side.name:
                found[place] = ask_adversarial(side, drawn.clean, image, int(found[place]), drawn.label)
        answers[side.name] = [int(answer) for answer in found]
    marks = []
    for place, (name, image) in enumerate(points):
        x, y = drawn.plane.place((image.double() - drawn.clean.double()).flatten().numpy())
        distance = float(norm.distance(drawn.clean[None], image[None])[0])
        dense, pruned = answers["dense"][place], answers["pruned"][place]
        marks.append(SliceMark(name=name, x=x, y=y, distance=distance, dense=dense, pruned=pruned))
    return marks


def ask_adversarial(side: Side, clean: Tensor, adversarial: Tensor, answer: int, label: int) -> int:
    """What a network predicts for its own adversarial, which has to be what its evaluation says.

    Adversarials lie on the boundary as the machine of the run computed it; where this one still says the label there,
    a point that lies a thousandth farther stands for it, as when a bundle is verified.
    """
    if answer == label:
        farther = (clean + (adversarial - clean) * (1 + STEP_BEYOND)).clamp(0, 1)
        answer = int(classify(side.subject, farther[None])[0])
    known = side.result.adversarial_prediction
    if known is None:
        known = answer if answer != label else -1
    refuse_other(side, "its adversarial", answer, known)
    return answer


def refuse_other(side: Side, what: str, answer: int, known: int) -> None:
    if answer != known:
        said = f"class {known}" if known >= 0 else "any other class than the label"
        raise AttackFailed(
            f"{side.title} predicts class {answer} for {what}, but its evaluation says {said}, so the network or the "
            "images are others than those of the evaluation. Nothing was drawn.",
            evaluation_id=str(side.evaluation.id),
        )


def classify(subject: Subject, images: Tensor, on_step: OnStep | None = None, stage: str = "") -> NDArray[np.int16]:
    """The network's predictions for images float32 (N, C, H, W), int16 (N,)."""
    with prepare(subject.network):
        classifier = Classifier(subject.network, on_step)
        classifier.total, classifier.stage = len(images), stage
        parts = []
        for part in images.split(checked_at_once()):
            parts.append(predict(classifier.classify(part.to(classifier.device))).cpu())
            classifier.done += len(part)
    found: NDArray[np.int16] = torch.cat(parts).numpy().astype(np.int16)
    return found


def find_ball(evaluation: Evaluation, unit_ball: list[tuple[float, float]] | None) -> NDArray[np.float64] | None:
    """Corners (N, 2) of the ball of the evaluation's eps, or of the data set's, on the plane; None without an eps."""
    with reading() as session:
        dataset = session.get_one(Dataset, evaluation.dataset_id)
    text = evaluation.eps or (dataset.default_eps if dataset.default_norm == evaluation.norm else None)
    if text is None:
        return None
    eps = float(parse_eps(text))
    return np.array([(eps, eps)]) if unit_ball is None else eps * np.array(unit_ball)


def store_classes(classes: NDArray[np.int16]) -> str:
    """Keep int16 (2, points, points); gives the artefact's name."""
    buffer = io.BytesIO()
    np.save(buffer, classes, allow_pickle=False)
    return put_bytes(buffer.getvalue(), ".npy")
