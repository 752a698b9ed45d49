"""The import direction at run time; `make test` and `make check` hold the contracts of pyproject.toml statically."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def find_loaded(module: str, *suspects: str) -> list[str]:
    """Import `module` in a fresh Python and say which of the suspects came along."""
    script = f"import sys, {module}; print(*sorted(set({suspects!r}) & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return answer.stdout.split()


@pytest.mark.parametrize("module", ["backend.server", "backend.cli", "backend.attacks", "backend.supervisor"])
def test_web_and_command_line_leave_torch_alone(module: str) -> None:
    assert find_loaded(module, "torch", "pyautoattack") == []


def test_worker_is_where_torch_lives() -> None:
    assert find_loaded("backend.jobs.evaluate", "torch") == ["torch"]


def test_figures_leave_dash_and_services_alone() -> None:
    assert find_loaded("frontend.figures", "dash", "backend.services", "sqlalchemy") == []


def test_analysis_leaves_torch_and_sql_alone() -> None:
    assert find_loaded("backend.analysis", "torch", "sqlalchemy", "fastapi") == []


def test_contracts_name_modules_that_exist() -> None:
    """Layers may be optional in import-linter, so a renamed module would leave its contract without a sound."""
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    names = {
        part.strip(" ()")
        for contract in contracts
        for key in ("layers", "source_modules", "modules")
        for entry in contract.get(key, [])
        for part in entry.replace("|", ":").split(":")
    }
    assert len(names) > 15
    missing = [
        name
        for name in names
        if not (REPOSITORY / name.replace(".", "/")).is_dir()
        and not (REPOSITORY / (name.replace(".", "/") + ".py")).is_file()
    ]
    assert missing == []
