"""What a checkpoint file holds, before anybody says what it is."""

from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from backend.jobs.registration.checkpoints import inspect_columns, read_columns
from backend.schemas.checkpoints import CheckpointIn
from backend.schemas.inspections import InspectionOut
from backend.schemas.uploads import UploadPreview
from backend.services.checkpoints.service import import_file
from backend.services.datasets.service import find_dataset
from backend.services.uploads import find_upload


def preview_upload(upload_id: UUID | str, dataset_id: str) -> UploadPreview:
    """What a file that has arrived holds and which dense checkpoint it was made from; nothing is kept.

    Raises:
        NotFound: no such upload or data set.
        RejectedCheckpoint, TooLarge: see `backend.registry.child`.
    """
    path, upload = find_upload(upload_id)
    dataset = find_dataset(dataset_id)
    form = CheckpointIn(name="preview", role="pruned", dataset_id=dataset_id)
    with TemporaryDirectory() as name:
        folder = Path(name)
        imported = import_file(path, upload.filename, form, dataset, None, folder)
        found = None
        if imported.measured_sparsity > 0:
            found = inspect_columns(read_columns(imported), "pruned", dataset.id, None, folder=folder)
    return UploadPreview(
        architecture=imported.architecture,
        parameters=imported.parameters,
        measured_sparsity=imported.measured_sparsity,
        likely_parent=None if found is None else InspectionOut.model_validate(found).likely_parent,
    )
