"""The files around the code: make, pinned versions, container. No Docker engine is needed; nothing is built here."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import distributions, requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from backend.settings import Settings

REPOSITORY = Path(__file__).parents[1]
VERBS = {"help", "install", "run", "test", "test-slow", "check", "bench", "demo", "zoo", "clean"}
VARIABLE = re.compile(r"\$\{?(THINICE_\w+)")


def run_make(*words: str, folder: Path = REPOSITORY, path: str | None = None) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("THINICE_", "MAKE"))}
    environment = {**clean, **({} if path is None else {"PATH": path})}
    return subprocess.run(["/usr/bin/make", *words], cwd=folder, env=environment, capture_output=True, text=True)


def read_project() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def read_pins() -> dict[str, str]:
    lines = [line for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines}


def find_closure(requirement: Requirement, found: dict[str, set[str]]) -> None:
    """Add what the installed distribution needs, with its extras, to `found`."""
    name = canonicalize_name(requirement.name)
    if name in found and requirement.extras <= found[name]:
        return
    found[name] = found.get(name, set()) | requirement.extras
    for line in requires(name) or []:
        needed = Requirement(line)
        if any(needed.marker is None or needed.marker.evaluate({"extra": extra}) for extra in {"", *found[name]}):
            find_closure(needed, found)


def test_make_without_a_verb_describes_every_verb() -> None:
    result = run_make()
    assert result.returncode == 0
    described = {line.split()[1]: line.split()[2:] for line in result.stdout.splitlines()}
    assert set(described) == VERBS
    assert all(len(words) >= 4 for words in described.values())


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_make_every_verb_has_a_recipe(verb: str) -> None:
    result = run_make("--dry-run", verb)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()


def test_make_variables_on_the_command_line_reach_the_process() -> None:
    result = run_make("--eval", "show: ; @env", "show", "THINICE_PORT=8123", "THINICE_HOME=/some/where else")
    assert {"THINICE_PORT=8123", "THINICE_HOME=/some/where else"} <= set(result.stdout.splitlines())


def copy_setup(folder: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, folder)


def test_make_install_torch_index_holds_for_torch_alone(tmp_path: Path) -> None:
    copy_setup(tmp_path)
    lines = run_make("--dry-run", "install", "TORCH_INDEX=https://wheels.example/cpu", folder=tmp_path).stdout
    chosen = [line for line in lines.splitlines() if "https://wheels.example/cpu" in line]
    assert len(chosen) == 1
    assert chosen[0].endswith("--no-deps --index-url https://wheels.example/cpu torch")
    assert "--index-url" not in run_make("--dry-run", "install", folder=tmp_path).stdout


def test_make_install_old_python_is_one_sentence(tmp_path: Path) -> None:
    copy_setup(tmp_path)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "head", "flock", "echo"):
        (programs / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    (programs / "python3").write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    (programs / "python3").chmod(0o755)
    result = run_make("install", folder=tmp_path, path=str(programs))
    assert result.returncode != 0
    sentences = [line for line in result.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(sentences) == 1
    assert "needs Python 3.11" in sentences[0]
    assert "found: Python 3.9.2" in sentences[0]
    assert not (tmp_path / ".venv").exists()


def link_programs(folder: Path, *names: str) -> Path:
    """A folder for PATH with these programs of the machine alone."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    return folder


def fail_without_node(verb: str, programs: Path) -> str:
    """What a failing verb says, in one sentence."""
    result = run_make(verb, path=str(programs))
    assert result.returncode != 0
    sentences = [line for line in result.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(sentences) == 1
    return sentences[0]


def test_make_check_without_node_is_one_sentence(tmp_path: Path) -> None:
    programs = link_programs(tmp_path / "programs", "sh", "echo")
    sentence = fail_without_node("suitable-node", programs)
    assert "eslint and tsc" in sentence and "found: no Node.js" in sentence
    assert "suitable-node" in read_rule("check") and "suitable-node" in read_rule("node_modules/.installed")


def test_make_check_with_an_old_node_is_one_sentence(tmp_path: Path) -> None:
    programs = link_programs(tmp_path / "programs", "sh", "echo")
    for name in ("node", "npm"):
        (programs / name).write_text('#!/bin/sh\n[ "$1" = --version ] && echo v18.20.4 && exit 0\nexit 1\n')
        (programs / name).chmod(0o755)
    sentence = fail_without_node("suitable-node", programs)
    assert "found: v18.20.4" in sentence
    engines = json.loads((REPOSITORY / "package.json").read_text())["engines"]["node"]
    assert re.findall(r"\d+\.\d+(?=\.0)|(?<=>=)\d+", engines) == ["20.19", "22.13", "24"]
    assert "20.19, 22.13 or 24 and newer" in sentence


def test_make_test_without_its_programs_installs_debians_or_is_one_sentence(tmp_path: Path) -> None:
    programs = link_programs(tmp_path / "programs", "sh", "echo")
    (programs / "id").write_text("#!/bin/sh\necho 1000\n")
    (programs / "id").chmod(0o755)
    sentence = fail_without_node("programs", programs)
    assert "Node.js" in sentence and "missing: node curl jq." in sentence
    assert "apt-get install -q -y" in run_make("--dry-run", "programs").stdout
    assert all("programs" in read_rule(verb) for verb in ("test", "test-slow"))


def read_rule(target: str) -> list[str]:
    """What a target of the Makefile needs, as make understood it."""
    lines = run_make("--print-data-base", "--dry-run", "help").stdout.splitlines()
    needed = next(line.partition(":")[2] for line in lines if line.startswith(f"{target}:"))
    return needed.split()


def test_node_tools_are_pinned_exactly_and_as_locked() -> None:
    pinned = json.loads((REPOSITORY / "package.json").read_text())["devDependencies"]
    locked = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]
    assert {"eslint", "typescript"} <= set(pinned)
    assert pinned == {name: locked[f"node_modules/{name}"]["version"] for name in pinned}
    assert all("integrity" in row for name, row in locked.items() if name)


def test_ci_run_is_make_test_and_nothing_else() -> None:
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert commands == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test"]


def test_constraints_pin_exactly_the_closure_of_the_project() -> None:
    project = read_project()
    found: dict[str, set[str]] = {}
    for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        find_closure(Requirement(line), found)
    assert set(read_pins()) == set(found)


def test_constraints_are_what_is_installed() -> None:
    installed = {canonicalize_name(found.metadata["Name"]): found.version for found in distributions()}
    wrong = {
        name: (pin, installed.get(name)) for name, pin in read_pins().items() if pin != installed[name].split("+")[0]
    }
    assert wrong == {}


def test_package_data_covers_every_kind_of_tracked_file() -> None:
    """What lies next to the modules (weights, styles, migrations) must be in an installed package too."""
    patterns = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    tracked = subprocess.run(
        ["git", "ls-files", "backend", "frontend", "models"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    endings = {Path(name).suffix for name in tracked if not name.endswith(".py") and Path(name).suffix}
    assert {".npz", ".css"} <= endings
    assert endings <= {Path(pattern).suffix for pattern in patterns}


def read_dockerfile() -> list[str]:
    """The instructions, continuation lines joined, comments left out."""
    lines = [line for line in (REPOSITORY / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    return [line for line in "\n".join(lines).replace("\\\n", " ").splitlines() if line.strip()]


def read_compose() -> dict[str, Any]:
    return yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())


def list_variables() -> set[str]:
    """THINICE_TOKEN and so on, for every field of the settings."""
    return {f"THINICE_{name.upper()}" for name in Settings.model_fields}


def test_dockerfile_copies_what_exists_and_what_dockerignore_lets_in() -> None:
    let_in = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for line in read_dockerfile() if line.startswith("COPY ") for word in line.split()[1:-1]}
    assert {"backend", "frontend", "models", "pyproject.toml", "constraints.txt"} <= copied
    assert all((REPOSITORY / name).exists() for name in copied)
    assert copied == let_in


def test_dockerfile_ends_as_an_ordinary_user() -> None:
    users = [line.split()[1] for line in read_dockerfile() if line.startswith("USER ")]
    assert users == ["thinice"]
    order = [line.split()[0] for line in read_dockerfile()]
    assert order.index("USER") < order.index("CMD")


def test_dockerfile_and_compose_name_settings_that_exist() -> None:
    text = "\n".join(read_dockerfile()) + (REPOSITORY / "docker-compose.yml").read_text()
    named = set(re.findall(r"THINICE_\w+", text))
    assert len(named) >= 7
    assert named <= list_variables()


def test_dockerfile_and_compose_run_modules_that_exist() -> None:
    commands = [service["command"] for service in read_compose()["services"].values() if "command" in service]
    commands += [re.findall(r'"([^"]*)"', line) for line in read_dockerfile() if line.startswith("CMD ")]
    modules = [command[2] for command in commands if command[:2] == ["python", "-m"]]
    assert {"backend.server", "backend.jobs.worker", "backend.supervisor"} == set(modules)
    assert len(modules) == len(commands)
    assert all((REPOSITORY / (module.replace(".", "/") + ".py")).exists() for module in modules)


def find_health_scripts() -> dict[str, str]:
    """The Python of every health check, by where it stands."""
    (line,) = [line for line in read_dockerfile() if line.startswith("HEALTHCHECK ")]
    scripts = {"Dockerfile": re.findall(r'"([^"]*)"', line)[2]}
    for name, service in read_compose()["services"].items():
        if service.get("healthcheck", {}).get("test", [])[1:3] == ["python", "-c"]:
            scripts[name] = service["healthcheck"]["test"][3]
    return scripts


def test_health_checks_are_python_and_ask_for_a_path_that_exists() -> None:
    from backend.server import create_app

    scripts = find_health_scripts()
    assert set(scripts) == {"Dockerfile", "worker", "worker-gpu"}
    known = set(create_app(Settings()).openapi()["paths"])
    for script in scripts.values():
        compile(script, "health check", "exec")
        (path,) = re.findall(r"http://[\w.]+:8000(/[\w/]+)", script)
        assert path in known


def test_compose_dependencies_have_what_they_wait_for() -> None:
    services = read_compose()["services"]
    own_checks = {name for name, service in services.items() if "healthcheck" in service}
    checked = own_checks | {name for name, service in services.items() if "build" in service}  # the image's own
    waits = {name: service["depends_on"] for name, service in services.items() if "depends_on" in service}
    assert set(waits) == {"web", "worker", "worker-gpu"}
    for name, needed in waits.items():
        for other, how in needed.items():
            assert how["condition"] == "service_healthy"
            assert other in checked, f"{name} waits for {other}, which has no health check"
            if "profiles" in services[other]:
                assert how["required"] is False


def test_compose_processes_share_home_and_need_a_token() -> None:
    services = read_compose()["services"]
    for name in ("web", "worker", "worker-gpu"):
        assert services[name]["environment"]["THINICE_TOKEN"].startswith("${THINICE_TOKEN:?")
        assert services[name]["volumes"] == ["home:/data"]
        assert services[name]["restart"] == "unless-stopped"
    assert {volume.split(":")[0] for service in services.values() for volume in service["volumes"]} == set(
        read_compose()["volumes"]
    )


def test_compose_defaults_make_valid_settings() -> None:
    """Every default, as compose would fill it in, is taken by the settings."""
    for service in read_compose()["services"].values():
        filled = {
            name.removeprefix("THINICE_").lower(): re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
            for name, value in service["environment"].items()
            if name.startswith("THINICE_") and ":?" not in value
        }
        settings = Settings.model_validate(filled)
        assert not settings.model_extra
    assert VARIABLE.findall((REPOSITORY / "docker-compose.yml").read_text())


@pytest.mark.slow
def test_make_install_twice_second_time_does_nothing(tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(tmp_path / "clone")], check=True)
    first = run_make("install", folder=tmp_path / "clone")
    assert first.returncode == 0, first.stderr
    assert "Installing" in first.stdout
    second = run_make("install", folder=tmp_path / "clone")
    assert second.returncode == 0
    assert "pip" not in second.stdout
