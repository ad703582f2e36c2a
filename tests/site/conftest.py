"""The lab that the site's tests render: small, with every kind of block in it once."""

from pathlib import Path

import pytest

from sandbox.course.manifest import load_lab
from sandbox.course.model import Lab

#: The fixture lab's checks are data here, not tests.
collect_ignore = ["course"]

COURSE = Path(__file__).parent / "course"


@pytest.fixture(scope="session")
def fixture_lab() -> Lab:
    return load_lab(COURSE / "labs" / "fixture", COURSE / "solutions" / "fixture")
