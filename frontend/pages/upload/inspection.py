"""What the weights of a checkpoint say: sparsity against the declared one, kind of zeros, dead filters, the parent."""

from collections.abc import Sequence

from dash import dcc
from dash.development.base_component import Component

from backend.schemas.checkpoints import CheckpointOut
from backend.schemas.inspections import Descent, InspectionOut, NormDrift, StructureOut
from backend.services.checkpoints import find_uneven_layers
from frontend.components import Content, card
from frontend.pages.upload.checks import FieldCheck, check_list
from frontend.words import count_words, percent

UNIFORM = 0.01  # layers whose sparsities differ by no more are said to be pruned alike
DIFFERS = 0.01
KIND_WORDS = {
    "weight": "Individual weights are zero, with no pattern",
    "filter": "Whole filters (output channels) are zero",
    "channel": "Whole input channels are zero",
    "mixed": "The kind of zeros differs between layers",
    "dense": "No prunable weight is zero",
}


def inspection_card(row: CheckpointOut, parent: CheckpointOut | None) -> Component | None:
    """The checks; None for a checkpoint whose weights were not looked at."""
    found = row.inspection
    if found is None:
        return None
    checks = [check_sparsity(row), check_structure(row, found.structure)]
    if found.structure.zero_filters or found.structure.zero_channels:
        checks.append(check_dead(found.structure))
    checks += check_kinship(found, parent)
    note = "measured on the stored weights" + (f", compared with {parent.name}" if parent and found.descent else "")
    return card("What the weights say", check_list(checks), note=note)


def check_sparsity(row: CheckpointOut) -> FieldCheck:
    """Declared against measured, in all and over the layers."""
    measured, declared = percent(row.measured_sparsity), row.declared_sparsity
    words = [f"{measured} of the prunable weights are zero; the declared sparsity is {percent(declared)}."]
    if declared is None:
        words = [f"{measured} of the prunable weights are zero; no sparsity was declared."]
    if row.layers and row.measured_sparsity:
        low = min(row.layers, key=lambda layer: layer.sparsity)
        high = max(row.layers, key=lambda layer: layer.sparsity)
        if high.sparsity - low.sparsity <= UNIFORM:
            words.append(f"All layers are pruned about equally, {percent(low.sparsity)} to {percent(high.sparsity)}.")
        else:
            words.append(
                f"Layers differ: from {percent(low.sparsity)} ({low.name}) to {percent(high.sparsity)} ({high.name})."
            )
    title = "Declared and measured sparsity"
    if declared is None:
        return FieldCheck("info", title, " ".join(words))
    is_off = abs(declared - row.measured_sparsity) > DIFFERS or bool(find_uneven_layers(row))
    return FieldCheck("warn" if is_off else "ok", title, " ".join(words))


def check_structure(row: CheckpointOut, structure: StructureOut) -> FieldCheck:
    """The kind of the zeros, against the declared one where there is one."""
    words = f"{structure.pattern} sparsity" if structure.pattern else KIND_WORDS.get(structure.kind, structure.kind)
    if structure.pattern:
        kept, size = structure.pattern.split(":")
        words = f"{kept} of every {size} weights along the inputs are kept ({structure.pattern})"
    declared = (row.structure or {}).get("kind")
    if declared and structure.kind != "dense" and declared != structure.kind:
        return FieldCheck("warn", "Kind of zeros", f"{words}; {declared} pruning was declared.")
    return FieldCheck("info", "Kind of zeros", f"{words}.")


def check_dead(structure: StructureOut) -> FieldCheck:
    """Filters without a weight and inputs that are never read."""
    parts = []
    if structure.zero_filters:
        parts.append(
            f"{structure.zero_filters:,} of {count_words(structure.filters, 'filter')} have no weight left: their "
            "output is the same for every image."
        )
    if structure.zero_channels:
        parts.append(
            f"{structure.zero_channels:,} of {count_words(structure.channels, 'input channel')} are never read."
        )
    return FieldCheck("info", "Dead channels", " ".join(parts))


def check_kinship(found: InspectionOut, parent: CheckpointOut | None) -> list[FieldCheck]:
    """Whether it was made from the named parent and how, and which other checkpoint it fits."""
    checks = []
    if parent is not None and found.descent is not None and found.parent_id == parent.id:
        checks = [
            check_descent(found.descent, parent),
            check_change(found.descent),
            *check_norms(found.descent.norms),
        ]
        if found.descent.answer == "no":
            checks = checks[:1]  # how far it moved from a stranger says nothing
    if found.likely_parent is not None:
        likely = found.likely_parent
        sentence: Content = [
            f"The surviving weights have a correlation of {likely.correlation:.2f} with those of ",
            dcc.Link(likely.name, href=f"/upload?checkpoint={likely.checkpoint_id}"),
            ", which is not the declared parent.",
        ]
        checks.append(FieldCheck("warn", "A more likely parent", sentence))
    return checks


def check_descent(descent: Descent, parent: CheckpointOut) -> FieldCheck:
    """Yes, no or cannot tell, with the two numbers that say so."""
    title = f"Made from {parent.name}?"
    correlation = "–" if descent.correlation is None else f"{descent.correlation:.2f}"
    survivors = count_words(descent.survivors, "surviving weight")
    words = f"the correlation of {survivors} with the parent's weights is {correlation}"
    if descent.mask_agreement is not None:
        words += f"; in {percent(descent.mask_agreement, digits=0)} of pairs the kept weight was larger in the parent"
    if descent.answer == "yes":
        return FieldCheck("ok", title, f"Yes: {words}.")
    if descent.answer == "no":
        return FieldCheck("fail", title, f"No: {words}. A separate training run would look like this.")
    return FieldCheck(
        "warn", title, f"Cannot tell: {words}. A re-initialised network or a shared start would look like this."
    )


def check_change(descent: Descent) -> FieldCheck:
    """Only masked, or finetuned, and how far."""
    title = "Masked or finetuned"
    if descent.changed == 0:
        return FieldCheck("info", title, "Only masked: every surviving weight equals the parent's, bit for bit.")
    words = f"Finetuned: {percent(descent.changed)} of the surviving weights changed"
    if descent.relative_change is not None:
        words += f", by {percent(descent.relative_change, digits=0)} of their norm in total"
    if descent.revived:
        words += f"; {count_words(descent.revived, 'weight is', 'weights are')} zero in the parent but not here"
        return FieldCheck("warn", title, f"{words}.")
    return FieldCheck("info", title, f"{words}.")


def check_norms(norms: Sequence[NormDrift]) -> list[FieldCheck]:
    """How far batch normalisation moved; nothing for a network without any."""
    if not norms:
        return []
    title = "Batch normalisation"
    moved = [norm for norm in norms if not norm.is_unchanged]
    if not moved:
        return [FieldCheck("info", title, f"{count_words(len(norms), 'layer')}, identical to the parent, bit for bit.")]
    shifts = [norm.mean_shift for norm in moved]
    affine = [norm.affine_change for norm in moved if norm.affine_change is not None]
    words = (
        f"{len(moved)} of {count_words(len(norms), 'layer')} changed: running means by {min(shifts):.2f} to "
        f"{max(shifts):.2f} of the parent's standard deviations, variances by a factor of up to "
        f"{max(norm.variance_factor for norm in moved):.3g}"
    )
    if affine:
        words += f", scale and shift by up to {percent(max(affine), digits=0)}"
    return [FieldCheck("info", title, f"{words}.")]
