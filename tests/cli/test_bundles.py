"""`export-bundle` and `import-bundle` against a real server."""

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.jobs.test_importing import rewrite


def test_export_bundle_and_import_bundle_say_what_they_did(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "both.thinice"
    written = run("export-bundle", "dense-net", "pruned-net", "--output", str(path))
    assert written.returncode == 0, written.stderr
    assert f"wrote {path}: 2 evaluations, {path.stat().st_size:,} bytes" in written.stderr
    known = run("import-bundle", str(path), "--wait")
    assert known.returncode == 0, known.stderr
    assert "dense-net, margin, 60 samples: here already" in known.stdout
    lean = tmp_path / "lean.thinice"
    assert run("export-bundle", "dense-net", "--no-adversarials", "-o", str(lean)).returncode == 0
    queued = run("import-bundle", str(rewrite(lean, tmp_path / "new.thinice")), "--json")
    (row,) = json.loads(queued.stdout)["evaluations"]
    assert (queued.returncode, row["outcome"]) == (0, "queued")
    assert run("evaluations", "cancel", row["evaluation_id"]).returncode == 0
    assert run("evaluations", "delete", row["evaluation_id"]).returncode == 0


def test_import_bundle_of_another_file_is_refused_with_a_sentence(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"no archive")
    refused = run("import-bundle", str(path))
    assert refused.returncode == 1
    assert "not a bundle of Thin Ice" in refused.stderr
