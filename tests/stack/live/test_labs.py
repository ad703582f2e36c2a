"""Every lab's claims hold on a real RabbitMQ too.

The starters fail, the solutions and alternatives pass and each mistake is caught where it says,
with the exercises running as real processes. Most of the time goes into waiting, so many proofs run
side by side.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.stack.live.management import Management
from sandbox.stack.live.settings import Settings
from sandbox.stack.live.vhost import PREFIX

ROOT = Path(__file__).parents[3]
LABS = sorted(folder.parent.name for folder in (ROOT / "labs").glob("*/lab.toml"))
CLI = "import sys; from sandbox.cli import main; sys.exit(main())"
JOBS = 3 * (os.cpu_count() or 1)

pytestmark = pytest.mark.live


def _sandbox(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command against this server."""
    return subprocess.run(
        [sys.executable, "-c", CLI, *arguments],
        cwd=ROOT,
        env=os.environ
        | {
            "AMQP_URL": f"amqp://{settings.user}:{settings.password}@{settings.address}/",
            "RABBITMQ_MANAGEMENT_URL": settings.management_url,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def _runs(settings: Settings) -> set[str]:
    """The virtual hosts that runs have made."""
    return {name for name in Management(settings).vhosts() if name.startswith(PREFIX)}


@pytest.mark.parametrize("slug", LABS)
def test_what_a_lab_claims_holds_on_a_real_rabbitmq(slug: str, rabbitmq_server: Settings) -> None:
    before = _runs(rabbitmq_server)
    proof = _sandbox(rabbitmq_server, "lab", "check", slug, "--stack", "live", "--jobs", str(JOBS))
    assert proof.returncode == 0, f"{proof.stdout}\n{proof.stderr}"
    assert _runs(rabbitmq_server) - before == set()


def test_a_check_says_in_json_that_it_ran_on_a_real_rabbitmq(rabbitmq_server: Settings) -> None:
    solution = str(ROOT / "solutions/acks/double_ack.py")
    outcome = _sandbox(
        rabbitmq_server,
        *("check", "acks/double_ack", "--from", solution, "--stack", "live", "--json"),
    )
    assert outcome.returncode == 0, f"{outcome.stdout}\n{outcome.stderr}"
    result = json.loads(outcome.stdout)
    assert result["stack"] == "live"
    assert [exercise["outcome"] for exercise in result["exercises"]] == ["pass"]


def test_a_mistake_is_told_in_the_same_words(rabbitmq_server: Settings) -> None:
    mistake = str(ROOT / "labs/acks/mistakes/no_loss/auto_ack.py")
    outcome = _sandbox(
        rabbitmq_server, "check", "acks/no_loss", "--from", mistake, "--stack", "live"
    )
    assert outcome.returncode == 1, f"{outcome.stdout}\n{outcome.stderr}"
    assert "never shipped" in outcome.stdout
