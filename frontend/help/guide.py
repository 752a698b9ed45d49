"""How to read the pages, the rules behind the numbers, and the calls that answer the same without a browser."""

from dataclasses import dataclass

READING: tuple[tuple[str, str], ...] = (
    (
        "The line of context",
        "Data set, number of samples, norm, preset, seed and date of the two evaluations, and whether both were "
        "attacked with equal effort. If they were not, the page says what differs before it says anything else.",
    ),
    (
        "The sentence",
        "The finding in words: how many samples pruning lost and gained, whether small dense margins foretold the "
        "losses, and what the control lost. Every other card is evidence for it.",
    ),
    (
        "ε and δ",
        "ε decides what counts as robust; δ decides where thin ice ends. Both cut the stored margins again, and no "
        "attack runs anew. Cards that a slider does not govern say so.",
    ),
    (
        "Where each sample stood, and stands",
        "One mark per sample: dense margin to the right, pruned margin upwards. Below the diagonal pruning brought the "
        "boundary nearer. Samples that are wrong already, or for which nothing was found, stand in the gutters.",
    ),
    (
        "Does thin ice foretell the losses?",
        "The share lost among samples of similar dense margin. If it falls from left to right, samples on thin ice are "
        "the ones that pruning loses. Compare it with the controls: any change to a network loses such samples first.",
    ),
    (
        "The samples",
        "The wall shows who was lost, thinnest ice first. Open one to see what turns each network, and by how much.",
    ),
)

RULES: tuple[str, ...] = (
    "Pixels lie in [0, 1], normalisation is part of the network, and verdicts are made in float32 in evaluation mode.",
    "An adversarial counts only after the network itself has classified it again, inside the box and inside the ball.",
    "Several attacks on a sample give its worst case, never their mean.",
    "Broken at ε and a margin up to ε are the same statement; the two can never disagree.",
    "A failed attack is not a number. Samples without a distance are counted apart and never averaged.",
    "Seeds are fixed and recorded, with library versions, steps, device and the hashes of weights and samples.",
    "Samples are matched by the hash of their content, never by their row.",
    "Pairs that share no samples are refused; any other difference between two evaluations is shown.",
    "No figure without n and its interval; no AUROC for fewer than 20 lost samples.",
)


@dataclass(frozen=True)
class Call:
    """A REST call: its path as the interface describes it, and what it answers."""

    method: str
    path: str
    answers: str


CALLS: tuple[Call, ...] = (
    Call("PUT", "/api/v1/uploads", "Sends a file and gives the upload_id that a form then names"),
    Call("POST", "/api/v1/checkpoints", "Adds a checkpoint from a form, with the file in it or uploaded before"),
    Call("POST", "/api/v1/evaluations", "Queues an evaluation"),
    Call("GET", "/api/v1/evaluations/{evaluation_id}", "State, progress, summary, flags and record"),
    Call("GET", "/api/v1/evaluations/{evaluation_id}/events", "Progress as it happens"),
    Call("GET", "/api/v1/evaluations/{evaluation_id}/margins", "Every sample, as JSON, CSV or Parquet"),
    Call(
        "POST",
        "/api/v1/evaluations/{evaluation_id}/evidence",
        "Uploads adversarials (.npy); each is verified, and lowers the best-known bound",
    ),
    Call("POST", "/api/v1/evaluations/{evaluation_id}/attack-harder", "Spends a budget on chosen samples"),
    Call("POST", "/api/v1/comparisons/replay", "Tries the adversarials of either side on the other"),
    Call("GET", "/api/v1/evaluations/{evaluation_id}/noise", "Spread of every margin over its repeats"),
    Call("GET", "/api/v1/comparisons", "Everything that Compare shows of a pair"),
    Call("GET", "/api/v1/comparisons/samples", "The samples of a pair, as JSON, CSV or Parquet"),
    Call(
        "GET",
        "/api/v1/evaluations/{evaluation_id}/samples/{index}/adversarial.npy",
        "The adversarial as the network took it",
    ),
    Call("POST", "/api/v1/prunings", "Prunes a dense checkpoint; the result lands among the checkpoints"),
    Call("GET", "/api/v1/prunings/{pruning_id}", "State and progress of a pruning, and the card of what it made"),
    Call("GET", "/api/v1/pruning-methods", "The pruning methods, with schedules and settings"),
    Call("GET", "/api/v1/claims", "Claims and what a re-evaluation leaves of them, beside parents and controls"),
    Call(
        "GET",
        "/api/v1/families/{checkpoint_id}",
        "Everything made from a dense checkpoint, and the paper's claims answered; JSON, CSV, Markdown, LaTeX",
    ),
    Call("GET", "/api/v1/claims/references", "Published figures, apart from what is measured here"),
    Call("GET", "/api/v1/flags", "The reliability flags of this page"),
)
