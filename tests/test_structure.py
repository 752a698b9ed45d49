"""The house: names that are used once, modules that can be read in one sitting, and a test for each of them."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from models.pruning.plans import METHODS

REPOSITORY = Path(__file__).parents[1]
PRODUCT = ("backend", "frontend", "models")
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 50
VAGUE = {"utils", "helpers", "common", "core", "manager", "misc"}

# `a/b/c.py` is tested by `tests/a/b/test_c.py` (without `backend/`). A module that has no such file stands here, under
# its folder and behind the test file that exercises it. A new module gets a test file of its own, or its name in a row.
TESTED_BY: dict[str, dict[str, str]] = {
    "backend": {
        "api/test_errors.py": "errors",
        "cli/test_main.py": "client",
        "test_startup.py": "settings",
    },
    "backend/api": {
        "api/test_checkpoints.py": "uploads",
        "api/test_docs.py": "routes",
        "api/test_errors.py": "body_limit lists request_log unknown",
        "api/test_evaluations.py": "events files stopping",
        "api/test_guard.py": "health login",
        "api/test_slices.py": "layers",
    },
    "backend/attacks": {
        "attacks/test_engine.py": "assembly attempts first_passes runs",
        "attacks/test_flags.py": "losses",
    },
    "backend/attacks/catalogue": {
        "attacks/presets/test_autoattack.py": "attacks",
        "attacks/test_flags.py": "flags",
    },
    "backend/attacks/presets": {"attacks/test_exact_margins.py": "margin"},
    "backend/attacks/search": {
        "attacks/search/test_gradient_free_steps.py": "phases starts",
        "attacks/search/test_scheduler.py": "sequences",
    },
    "backend/cli": {"cli/test_main.py": "comparison evidence jobs output prunings session several"},
    "backend/datasets": {
        "datasets/test_child.py": "catalogue imported",
        "datasets/test_cifar.py": "pickled",
        "datasets/test_formats.py": "published",
    },
    "backend/bundles": {"jobs/test_importing.py": "archive rows"},
    "backend/jobs": {
        "jobs/test_evidence.py": "gathering verification",
        "jobs/test_importing.py": "bundled",
        "jobs/test_shipped.py": "restoring",
        "jobs/test_parents.py": "shards subjects",
        "jobs/test_primary_run.py": "rows",
        "jobs/test_prune.py": "pruning_results",
        "jobs/test_runs.py": "evaluate kinds progress",
        "jobs/test_worker.py": "engine preflight queue reaper",
    },
    "backend/jobs/registration": {"services/checkpoints/test_service.py": "checkpoints"},
    "backend/registry": {
        "registry/test_child.py": "imported",
        "registry/test_descent.py": "inspection",
        "registry/test_files.py": "archives",
        "registry/test_formats.py": "masking states",
        "registry/test_importing.py": "sparsity",
        "registry/test_preflight.py": "preflight_report silence",
        "registry/test_wild.py": "rates scores",
        "services/test_system.py": "shipment shipping",
    },
    "backend/schemas": {
        "api/test_bundles.py": "bundles",
        "api/test_contract.py": "catalogues claims comparisons datasets errors families health several uploads",
        "api/test_jobs.py": "evaluations evidence prunings",
        "api/test_slices.py": "layers slices",
        "api/test_tables.py": "tables",
        "frontend/assets/test_upload_form.py": "checkpoints",
        "frontend/pages/test_inspection.py": "inspections",
    },
    "backend/services": {
        "api/test_catalogues.py": "catalogues",
        "api/test_incoming.py": "uploads",
        "services/test_system.py": "demo zoo",
    },
    "backend/services/bundles": {
        "jobs/test_importing.py": "reading writing",
        "jobs/test_shipped.py": "packing shipped",
    },
    "backend/services/checkpoints": {"services/checkpoints/test_service.py": "views"},
    "backend/services/claims": {"services/claims/test_service.py": "checks"},
    "backend/services/comparisons": {
        "services/comparisons/test_service.py": "notes numbers sides",
        "services/evidence/test_service.py": "bounds noise replays",
    },
    "backend/services/datasets": {"services/datasets/test_service.py": "views"},
    "backend/services/evaluations": {"services/evaluations/test_service.py": "measurements views"},
    "backend/services/evidence": {"services/evidence/test_service.py": "views"},
    "backend/services/families": {
        "frontend/pages/test_methods.py": "measuring",
        "services/families/test_service.py": "answers questions rows",
        "services/families/test_texts.py": "tables",
    },
    "backend/services/prunings": {"services/prunings/test_service.py": "plans"},
    "backend/services/shared": {
        "services/evaluations/test_service.py": "arguments",
        "services/test_samples.py": "pixels",
    },
    "backend/store": {
        "services/checkpoints/test_service.py": "checkpoints",
        "services/datasets/test_service.py": "datasets",
        "services/evidence/test_service.py": "evidence",
        "services/test_deleted_shipment.py": "discarded",
        "store/test_database.py": "tables",
        "store/test_questions.py": "artefacts evaluations results workers",
        "store/test_records.py": "prunings",
    },
    "backend/store/migrations": {"store/test_migrations.py": "env"},
    "frontend": {
        "frontend/pages/test_claims.py": "references",
        "frontend/pages/test_jobs.py": "jobs rows words",
        "frontend/test_app.py": "callbacks icons shell",
    },
    "frontend/figures": {"frontend/pages/test_overview.py": "dumbbell"},
    "frontend/help": {"frontend/pages/test_help.py": "reading"},
    "frontend/help/glossary": {"frontend/help/test_glossary.py": "flips hints jobs measuring models statistics word"},
    "frontend/pages/claims": {"frontend/pages/test_claims.py": "layout table"},
    "frontend/pages/compare": {
        "frontend/pages/test_compare.py": "callbacks evidence grid header layout panels sections",
        "frontend/review/test_evidence.py": "replay",
    },
    "frontend/pages/help": {
        "frontend/pages/test_help.py": "attacks contents flags frame glossary index protocol reading rest",
        "frontend/test_app.py": "callbacks",
    },
    "frontend/pages/jobs": {
        "frontend/pages/test_jobs.py": "callbacks layout listing queueing record table",
        "frontend/review/test_evidence.py": "cards",
    },
    "frontend/pages/methods": {"frontend/pages/test_methods.py": "answers callbacks layout panels spread table"},
    "frontend/pages/overview": {
        "frontend/pages/test_finding.py": "finding pictures waiting",
        "frontend/pages/test_overview.py": "callbacks holdings layout table",
    },
    "frontend/pages/prune": {"frontend/pages/test_prune.py": "callbacks form images layout record request"},
    "frontend/pages/sample": {
        "frontend/pages/test_sample.py": "harder layout side strip words",
        "frontend/pages/test_versions.py": "layers plane versions",
    },
    "frontend/pages/samples": {"frontend/pages/test_samples.py": "layout"},
    "frontend/pages/several": {"frontend/pages/test_several.py": "callbacks chosen layout panels picker"},
    "frontend/pages/upload": {
        "frontend/pages/test_bundle.py": "bundle",
        "frontend/pages/test_inspection.py": "inspection",
        "frontend/pages/test_upload.py": "callbacks checks form layout sheet",
    },
    "frontend/review": {
        "frontend/pages/test_compare.py": "headline state words",
        "frontend/pages/test_help.py": "keys",
        "frontend/pages/test_prune.py": "prunings",
    },
    "models/architectures": {
        "models/architectures/test_architectures.py": "builders cnn resnet vgg wide_resnet",
        "models/architectures/test_layers.py": "normalizations",
        "registry/test_sequences.py": "sequential",
    },
    "models/pruning": {
        "models/pruning/test_lwm.py": "structured",
        "models/pruning/test_methods.py": "fitting plans recipes",
    },
    "models/training": {
        "models/pruning/test_thin_ice.py": "passes",
        "models/training/test_recipe.py": "schedules",
        "models/training/test_parts.py": "progress state",
    },
    "models/zoo": {"models/zoo/test_build.py": "cards entries"},
}


def list_modules(*roots: str) -> list[Path]:
    """Python files by their path in the repository."""
    return [path.relative_to(REPOSITORY) for root in roots for path in sorted((REPOSITORY / root).rglob("*.py"))]


def find_mirror(module: Path) -> Path:
    """Where the test of a module stands."""
    parts = module.parts[1:] if module.parts[0] == "backend" else module.parts
    return REPOSITORY.joinpath("tests", *parts[:-1], f"test_{module.name}")


def list_rows() -> Iterator[tuple[Path, Path]]:
    """Each module in the table, with the test file that exercises it."""
    for folder, rows in TESTED_BY.items():
        for name, modules in rows.items():
            yield from ((Path(folder, f"{module}.py"), REPOSITORY / "tests" / name) for module in modules.split())


def list_unmirrored() -> list[Path]:
    """Modules without a test file of their own; packages need none, nor do migrations, and `test_ids` reads all ids."""
    modules = [module for module in list_modules(*PRODUCT) if module.name not in ("__init__.py", "ids.py")]
    return [module for module in modules if "versions" not in module.parts and not find_mirror(module).exists()]


def test_class_names_are_defined_once() -> None:
    defined = defaultdict(list)
    for module in list_modules(*PRODUCT):
        for node in ast.walk(ast.parse((REPOSITORY / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                defined[node.name].append(str(module))
    assert {name: places for name, places in defined.items() if len(places) > 1} == {}


def test_every_module_has_a_test_file_or_a_row_that_names_it() -> None:
    named = {module for module, _ in list_rows()}
    assert [str(module) for module in list_unmirrored() if module not in named] == [], (
        "write tests/<path>/test_<name>.py"
    )


def test_rows_name_modules_that_need_them_once_and_test_files_that_exist() -> None:
    named = [module for module, _ in list_rows()]
    assert sorted(named) == sorted({*named} & {*list_unmirrored()})
    assert [str(test) for _, test in list_rows() if not test.exists()] == []


def test_modules_can_be_read_in_one_sitting() -> None:
    lines = {str(path): len((REPOSITORY / path).read_text().splitlines()) for path in list_modules(*PRODUCT, "tests")}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def count_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function with its signature, without its docstring."""
    assert function.end_lineno is not None
    first = function.body[0]
    docstring = 0
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        docstring = first.end_lineno - first.lineno + 1
    return function.end_lineno - function.lineno + 1 - docstring


def test_functions_fit_on_one_screen() -> None:
    long = {}
    for module in list_modules(*PRODUCT):
        if "versions" in module.parts:  # migrations are written once and never changed
            continue
        for node in ast.walk(ast.parse((REPOSITORY / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = count_lines(node)
                if lines > MOST_LINES_OF_A_FUNCTION:
                    long[f"{module}:{node.name}"] = lines
    assert long == {}


def test_modules_have_names_that_say_what_they_hold() -> None:
    assert [str(path) for path in list_modules(*PRODUCT, "tests") if VAGUE & {path.stem, *path.parent.parts}] == []


def test_names_of_pruning_methods_are_written_once() -> None:
    places = defaultdict(list)
    for module in list_modules(*PRODUCT):
        for node in ast.walk(ast.parse((REPOSITORY / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in METHODS:
                places[node.value].append(str(module))
    assert places == {name: ["models/pruning/plans.py"] for name in METHODS}
