"""The house: names that are used once, modules that can be read in one sitting, and a test for each of them."""

import ast
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PRODUCT = ("backend", "frontend", "models")
MOST_LINES = 400
VAGUE = {"utils", "helpers", "common", "core", "manager", "misc"}

# `a/b/c.py` is tested by `tests/a/b/test_c.py` (without `backend/`), or by the files in the row of its longest prefix.
TESTED_BY = {
    "backend/api": ["api/test_contract.py", "api/test_errors.py", "api/test_guard.py", "api/test_evaluations.py"],
    "backend/attacks": ["attacks/test_contract.py", "attacks/test_engine.py", "attacks/test_flags.py"],
    "backend/attacks/catalogue": ["api/test_catalogues.py", "attacks/test_contract.py"],
    "backend/attacks/search": ["attacks/search/test_scheduler.py", "attacks/presets/test_fast.py"],
    "backend/cli": ["cli/test_main.py"],
    "backend/client": ["cli/test_main.py"],
    "backend/datasets": ["datasets/test_child.py", "datasets/test_cifar.py", "datasets/test_formats.py"],
    "backend/errors": ["api/test_errors.py"],
    "backend/jobs": ["jobs/test_worker.py", "jobs/test_runs.py", "jobs/test_evidence.py", "jobs/test_prune.py"],
    "backend/registry": ["registry/test_importing.py", "registry/test_wild.py", "registry/test_files.py"],
    "backend/registry/inspection": ["registry/test_descent.py"],
    "backend/registry/preflight_report": ["registry/test_preflight.py"],
    "backend/registry/silence": ["registry/test_preflight.py"],
    "backend/schemas": ["api/test_contract.py"],
    "backend/services": ["services/test_system.py", "api/test_catalogues.py", "api/test_incoming.py"],
    "backend/services/checkpoints": ["services/checkpoints/test_service.py"],
    "backend/services/claims": ["services/claims/test_service.py"],
    "backend/services/comparisons": ["services/comparisons/test_service.py", "services/evidence/test_service.py"],
    "backend/services/datasets": ["services/datasets/test_service.py"],
    "backend/services/evaluations": ["services/evaluations/test_service.py"],
    "backend/services/evidence": ["services/evidence/test_service.py"],
    "backend/services/families": ["services/families/test_service.py", "services/families/test_texts.py"],
    "backend/services/prunings": ["services/prunings/test_service.py", "jobs/test_prune.py"],
    "backend/settings": ["test_docs.py", "test_startup.py"],
    "backend/store": ["store/test_questions.py", "store/test_database.py"],
    "frontend": ["frontend/test_app.py", "frontend/pages/test_overview.py"],
    "frontend/figures": ["frontend/figures/test_frame.py", "frontend/pages/test_overview.py"],
    "frontend/help": ["frontend/help/test_glossary.py", "frontend/pages/test_help.py"],
    "frontend/pages/claims": ["frontend/pages/test_claims.py"],
    "frontend/pages/compare": ["frontend/pages/test_compare.py", "frontend/review/test_evidence.py"],
    "frontend/pages/help": ["frontend/pages/test_help.py"],
    "frontend/pages/jobs": ["frontend/pages/test_jobs.py"],
    "frontend/pages/methods": ["frontend/pages/test_methods.py"],
    "frontend/pages/overview": ["frontend/pages/test_overview.py"],
    "frontend/pages/prune": ["frontend/pages/test_prune.py"],
    "frontend/pages/sample": ["frontend/pages/test_sample.py"],
    "frontend/pages/samples": ["frontend/pages/test_samples.py"],
    "frontend/pages/upload": ["frontend/pages/test_upload.py", "frontend/pages/test_inspection.py"],
    "frontend/review": ["frontend/pages/test_samples.py", "frontend/pages/test_help.py"],
    "frontend/words": ["frontend/pages/test_jobs.py"],
    "models/architectures": ["models/architectures/test_architectures.py", "registry/test_sequences.py"],
    "models/pruning": ["models/pruning/test_methods.py"],
    "models/training": ["models/training/test_parts.py", "models/training/test_training.py"],
    "models/zoo": ["models/zoo/test_build.py", "models/zoo/test_files.py"],
}


def list_modules(*roots: str) -> list[Path]:
    """Python files by their path in the repository."""
    return [path.relative_to(REPOSITORY) for root in roots for path in sorted((REPOSITORY / root).rglob("*.py"))]


def find_mirror(module: Path) -> Path:
    """Where the test of a module stands."""
    parts = module.parts[1:] if module.parts[0] == "backend" else module.parts
    return REPOSITORY.joinpath("tests", *parts[:-1], f"test_{module.name}")


def find_row(module: Path) -> str | None:
    """The longest prefix in the table that the module stands under."""
    places = [module.with_suffix(""), *module.parents]
    return next((str(place) for place in places if str(place) in TESTED_BY), None)


def list_unmirrored() -> list[Path]:
    """Modules without a test file of their own; empty packages and migrations need none."""
    modules = [module for module in list_modules(*PRODUCT) if module.name != "__init__.py"]
    return [module for module in modules if "versions" not in module.parts and not find_mirror(module).exists()]


def test_class_names_are_defined_once() -> None:
    defined = defaultdict(list)
    for module in list_modules(*PRODUCT):
        for node in ast.walk(ast.parse((REPOSITORY / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                defined[node.name].append(str(module))
    assert {name: places for name, places in defined.items() if len(places) > 1} == {}


def test_modules_are_tested_by_a_file_that_exists() -> None:
    homeless = [str(module) for module in list_unmirrored() if find_row(module) is None]
    assert homeless == [], "write tests/<path>/test_<module>.py, or a row in TESTED_BY"
    missing = {name for names in TESTED_BY.values() for name in names if not (REPOSITORY / "tests" / name).exists()}
    assert missing == set()


def test_table_of_tests_has_no_row_that_nothing_needs() -> None:
    assert set(TESTED_BY) == {find_row(module) for module in list_unmirrored()} - {None}


def test_modules_can_be_read_in_one_sitting() -> None:
    lines = {str(path): len((REPOSITORY / path).read_text().splitlines()) for path in list_modules(*PRODUCT, "tests")}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_modules_have_names_that_say_what_they_hold() -> None:
    assert [str(path) for path in list_modules(*PRODUCT, "tests") if VAGUE & {path.stem, *path.parent.parts}] == []
