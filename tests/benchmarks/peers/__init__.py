"""The table of contestants: Thin Ice first, then every peer, one module per package or paper."""

from tests.benchmarks.contestants import Contestant
from tests.benchmarks.peers import a3, adv_lib_rows, foolbox_rows, malt, official, own, pma, secml_rows, torch_attacks

MODULES = (own, official, torch_attacks, a3, malt, pma, adv_lib_rows, foolbox_rows, secml_rows)


def list_contestants(*, is_quick: bool = False) -> list[Contestant]:
    """Every row, or those of the quick bench."""
    rows: list[Contestant] = [row for module in MODULES for row in module.CONTESTANTS]
    keys = [(row.name, row.task) for row in rows]
    assert len(set(keys)) == len(keys), "a row appears twice"
    return [row for row in rows if row.is_quick or not is_quick]
