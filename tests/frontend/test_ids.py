"""Component ids: every id that a page's `ids.py` names is used by the page."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[2] / "frontend"
IDS = sorted(FRONTEND.rglob("ids.py"))


def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def list_names(tree: ast.Module) -> set[str]:
    """What a module of ids defines: constants and functions."""
    assigned = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets}
    return assigned | {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def find_aliases(tree: ast.Module, package: str) -> set[str]:
    """What a module calls the ids of a package."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == package]
    return {name.asname or name.name for node in imports for name in node.names if name.name == "ids"}


def find_uses(path: Path) -> Iterator[str]:
    """Names of one module of ids that stand in any other module, or in the values of its own."""
    package = ".".join(path.parent.relative_to(FRONTEND.parent).parts)
    for node in ast.walk(read(path)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
    for other in FRONTEND.rglob("*.py"):
        tree = read(other)
        aliases = find_aliases(tree, package)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
                yield node.attr
    for script in FRONTEND.rglob("assets/*.js"):
        yield from re.findall(r"\bids\.(?:[a-z_]+\.)?([A-Z_]+)", script.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", IDS, ids=[path.parent.name for path in IDS])
def test_every_id_of_a_page_is_used(path: Path) -> None:
    assert list_names(read(path)) - set(find_uses(path)) == set()
