"""What stands over a pair: caveats, unequal effort and flags."""

from backend.schemas.comparisons import MismatchOut
from backend.services import comparisons
from frontend.review.notices import mismatch_notice
from tests.frontend.pairs import MadePair
from tests.frontend.words import hrefs, text_of


def test_mismatch_notice_tells_caveats_from_unequal_effort(made_pair: MadePair) -> None:
    comparison = comparisons.compare(made_pair.dense.id, made_pair.pruned.id)
    assert mismatch_notice(comparison) is None
    found = [
        MismatchOut(field=field, dense=None, pruned=None, severity="differs", sentence=f"about {field}")
        for field in ("steps", "apparent-gain", "stronger-attack", "parent")
    ]
    notice = mismatch_notice(comparison.model_copy(update={"mismatches": found}))
    words = text_of(notice)
    assert words.index("with caution") < words.index("about apparent-gain") < words.index("about stronger-attack")
    assert words.index("not the parent") < words.index("about parent") < words.index("used different settings")
    assert {"/help/flags#flag-apparent-gain", "/help/flags#flag-masking"} <= set(hrefs(notice))


def test_mismatch_notice_shows_the_flags_of_either_side(made_pair: MadePair) -> None:
    comparison = comparisons.compare(made_pair.dense.id, made_pair.pruned.id)
    flagged = comparison.pruned.model_copy(update={"flags": ["saturated"]})
    notice = mismatch_notice(comparison.model_copy(update={"pruned": flagged}))
    assert f"{flagged.checkpoint_name}: saturated" in text_of(notice)
    assert "/help/flags#flag-saturated" in hrefs(notice)
