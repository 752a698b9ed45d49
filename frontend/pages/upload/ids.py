"""The page's component ids, all under one prefix."""

PAGE = "upload"
SETUP = "upload-setup"
MOUNTED = "upload-mounted"
DROP = "upload-drop"
INPUT = "upload-input"
FILE = "upload-file"
REFUSAL = "upload-refusal"
GO = "upload-go"
STATUS = "upload-status"

NAME = "upload-name"
ROLE = "upload-role"
DATASET = "upload-dataset"
PARENT = "upload-parent"
ARCHITECTURE = "upload-architecture"
NORMALIZATION = "upload-normalization"
METHOD = "upload-method"
SPARSITY = "upload-sparsity"
KEEP_RATE = "upload-keep-rate"
CLAIM = "upload-claim"
CLAIM_ATTACK = "upload-claim-attack"
CLAIM_NORM = "upload-claim-norm"
CLAIM_EPS = "upload-claim-eps"
CLAIM_N = "upload-claim-n"
CLAIM_SOURCE = "upload-claim-source"
EVALUATE = "upload-evaluate"
SAMPLES = "upload-samples"
ROLE_HINT = "upload-role-hint"
PARENT_BOX = "upload-parent-box"
METHOD_BOX = "upload-method-box"
SPARSITY_BOX = "upload-sparsity-box"

# In the order in which upload.js takes them; each is a field of POST /api/v1/checkpoints, see FORM_FIELDS there.
CHECKPOINT_FORM = (
    NAME,
    ROLE,
    DATASET,
    PARENT,
    ARCHITECTURE,
    NORMALIZATION,
    METHOD,
    SPARSITY,
    KEEP_RATE,
    CLAIM,
    CLAIM_ATTACK,
    CLAIM_NORM,
    CLAIM_EPS,
    CLAIM_N,
    CLAIM_SOURCE,
    EVALUATE,
    SAMPLES,
)

SET_NAME = "upload-set-name"
SET_NORM = "upload-set-norm"
SET_EPS = "upload-set-eps"
SET_CLASSES = "upload-set-classes"
SET_SPLIT = "upload-set-split"
SET_GO = "upload-set-go"
DATASET_FORM = (SET_NAME, SET_NORM, SET_EPS, SET_CLASSES, SET_SPLIT)

BUNDLE_GO = "upload-bundle-go"
BUNDLE_PREVIEW = "upload-bundle-preview"
BUNDLE_CAME = "upload-bundle-came"
BUNDLE_RESULT = "upload-bundle-result"
BUNDLE_STATE = "upload-bundle-state"
BUNDLE_LIVE = "upload-bundle-live"
BUNDLE_POLL = "upload-bundle-poll"

CHECKPOINT_ID = "upload-checkpoint"
SHEET = "upload-sheet"
SHEET_STATE = "upload-sheet-state"
SHEET_LIVE = "upload-sheet-live"
SHEET_POLL = "upload-sheet-poll"
