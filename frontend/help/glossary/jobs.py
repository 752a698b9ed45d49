"""Words for the work that the product does, and for where it keeps what it knows."""

from frontend.help.glossary.word import Word

JOBS = (
    Word(
        "job",
        "An evaluation, a piece of evidence or a pruning that waits for a worker, runs, or has ended. Jobs survive a "
        "restart.",
    ),
    Word("stage", "What a running job is doing now, in a few words. The Jobs page shows it next to the progress bar."),
    Word(
        "run",
        "One pass of a job through its work. A job that is resumed gets another run, and run_number counts them.",
        ("run_number",),
    ),
    Word("worker", "The process that carries out jobs, one for each device."),
    Word(
        "home",
        "The folder named by THINICE_HOME. It holds the database, the uploaded files and the stored adversarials.",
        ("THINICE_HOME",),
    ),
    Word(
        "snapshot",
        "What the database holds at one moment: checkpoints, evaluations, data sets and trainings. Families and claims "
        "are computed from one snapshot, so that their figures fit together.",
    ),
)
