"""Every lab is what it claims to be: the claims of `sandbox lab check`, one test each."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.course.manifest import find_labs
from sandbox.course.places import Root
from sandbox.grading.prove import Claim, claims, prove

ROOT = Path(__file__).parent.parent.parent
CLAIMS = claims(find_labs([Root(ROOT / "labs", ROOT / "solutions")]))


@pytest.mark.parametrize("claim", CLAIMS, ids=[str(claim).replace(" ", "-") for claim in CLAIMS])
def test_what_a_lab_claims_holds(claim: Claim) -> None:
    assert not prove(claim).problem


def test_labs_have_what_they_promise_their_learners() -> None:
    labs = find_labs([Root(ROOT / "labs", ROOT / "solutions")])
    for lab in labs:
        assert len(lab.exercises) >= 2, lab.slug
        mistakes = sum(len(lab.mistakes(each.id)) for each in lab.exercises)
        alternatives = sum(len(lab.alternatives(each.id)) for each in lab.exercises)
        assert mistakes >= 4, lab.slug
        assert alternatives >= 2, lab.slug
        assert "```predict" in lab.lesson_path.read_text(), lab.slug
