"""The REST calls that give what the pages show. A test holds them against the interface itself."""

from dataclasses import dataclass

from frontend.help.addresses import anchor


@dataclass(frozen=True)
class Call:
    """A REST call: its path as the interface describes it, and what it does."""

    method: str
    path: str
    does: str

    @property
    def anchor(self) -> str:
        """Its place on the page: `call-get-api-v1-flags`."""
        return anchor("call", f"{self.method} {self.path}")


UPLOADS = (
    Call("PUT", "/api/v1/uploads", "Send a file; the response has the upload_id that a later form names."),
    Call(
        "GET",
        "/api/v1/uploads/{upload_id}/preview",
        "What an uploaded file holds, and the checkpoint that it was made from, by its weights.",
    ),
    Call("POST", "/api/v1/checkpoints", "Add a checkpoint; the form carries the file, or the upload_id of one."),
    Call("POST", "/api/v1/prunings", "Prune a dense checkpoint here; the result is added to the checkpoints."),
    Call("GET", "/api/v1/prunings/{pruning_id}", "State and progress of a pruning, and the card of what it made."),
    Call("GET", "/api/v1/pruning-methods", "The pruning methods with their schedules and settings."),
)

EVALUATIONS = (
    Call("POST", "/api/v1/evaluations", "Queue an evaluation."),
    Call("GET", "/api/v1/evaluations/{evaluation_id}", "State, progress, summary, flags and record."),
    Call("GET", "/api/v1/evaluations/{evaluation_id}/events", "Progress as it happens (server-sent events)."),
    Call("GET", "/api/v1/evaluations/{evaluation_id}/margins", "All samples, as JSON, CSV or Parquet."),
    Call(
        "GET",
        "/api/v1/evaluations/{evaluation_id}/samples/{index}/adversarial.npy",
        "The adversarial of a sample, exactly as the network received it.",
    ),
    Call("GET", "/api/v1/evaluations/{evaluation_id}/noise", "How far each margin differs between repeats."),
    Call(
        "POST",
        "/api/v1/evaluations/{evaluation_id}/evidence",
        "Upload adversarials (.npy). Each one is verified and may lower a best-known bound.",
    ),
    Call("POST", "/api/v1/evaluations/{evaluation_id}/attack-harder", "Spend a budget on chosen samples."),
    Call("GET", "/api/v1/bundles", "Finished evaluations as one file, to look at on another server."),
    Call("POST", "/api/v1/bundles", "Import such a file; every row is verified on the networks of this server first."),
    Call("GET", "/api/v1/flags", "The reliability flags with their explanations."),
)

COMPARISONS = (
    Call("GET", "/api/v1/comparisons", "Everything that Compare shows for a pair."),
    Call("GET", "/api/v1/comparisons/samples", "The samples of a pair, as JSON, CSV or Parquet."),
    Call(
        "GET",
        "/api/v1/comparisons/several",
        "Up to eight pruned evaluations against a dense one: what each loses, and the overlap of every two.",
    ),
    Call("POST", "/api/v1/comparisons/replay", "Try the adversarials of each side on the other."),
    Call("POST", "/api/v1/comparisons/slices", "Draw a boundary slice of a sample."),
    Call("GET", "/api/v1/evidence/{evidence_id}/slice", "The classes of both networks on its plane."),
    Call("POST", "/api/v1/comparisons/layers", "Restore the layers of the parent one at a time, and measure again."),
    Call("GET", "/api/v1/evidence/{evidence_id}/layers", "How many lost samples each restored layer brings back."),
    Call("GET", "/api/v1/claims", "Claims and their re-evaluations, with those of parents and controls."),
    Call("GET", "/api/v1/claims/references", "Published figures, separate from the measurements."),
    Call(
        "GET",
        "/api/v1/families/{checkpoint_id}",
        "Everything made from a dense checkpoint, with the three answers; as JSON, CSV, Markdown or LaTeX.",
    ),
    Call("POST", "/api/v1/tables", "Rows of text as Parquet: how a page saves its tables."),
)

GROUPS: dict[str, tuple[Call, ...]] = {
    "Checkpoints": UPLOADS,
    "Evaluations": EVALUATIONS,
    "Comparisons and claims": COMPARISONS,
}

CALLS: tuple[Call, ...] = tuple(call for group in GROUPS.values() for call in group)
