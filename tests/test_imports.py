"""The import direction at run time; `make test` and `make check` hold the contracts of pyproject.toml statically.

Both are needed: import-linter does not see that importing a module runs the `__init__` of its package.
"""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def list_modules(package: str) -> str:
    """The package's modules, separated by commas."""
    folder = REPOSITORY / package.replace(".", "/")
    names = [f"{package}.{module.name}" for module in pkgutil.iter_modules([str(folder)])]
    assert names
    return ", ".join(names)


def find_loaded(modules: str, *suspects: str) -> list[str]:
    """Import the modules in a fresh Python and say which of the suspects came along."""
    script = f"import sys, {modules}; print(*sorted(set({suspects!r}) & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return result.stdout.split()


@pytest.mark.parametrize("module", ["backend.server", "backend.cli.main", "backend.attacks", "backend.supervisor"])
def test_web_and_command_line_leave_torch_alone(module: str) -> None:
    assert find_loaded(module, "torch", "pyautoattack") == []


@pytest.mark.parametrize(
    "module", ["models.architectures.rows", "models.architectures.normalizations", "models.pruning.plans"]
)
def test_rows_of_the_models_leave_torch_alone(module: str) -> None:
    assert find_loaded(module, "torch") == []


def test_worker_is_where_torch_lives() -> None:
    assert find_loaded("backend.jobs.evaluate", "torch") == ["torch"]


def test_what_the_web_uses_of_jobs_leaves_torch_alone() -> None:
    modules = "backend.jobs.lifecycle, backend.jobs.drafts, backend.jobs.pruning_results, "
    assert find_loaded(modules + list_modules("backend.jobs.registration"), "torch", "backend.services") == []


def test_figures_leave_dash_and_services_alone() -> None:
    assert find_loaded(list_modules("frontend.figures"), "dash", "backend.services", "sqlalchemy") == []


def test_analysis_leaves_torch_and_sql_alone() -> None:
    assert find_loaded(list_modules("backend.analysis"), "torch", "sqlalchemy", "fastapi") == []
