"""Faults: what can be done to a world from outside, now or at an exact virtual time.

    world.faults.partition("worker", "rabbitmq")
    world.faults.at(4.2, lambda: worker.kill())

Names are those of processes and hosts; a broker's service, process and host share one name.
Every fault is in the trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.sim.clock import SECOND
from sandbox.sim.links import Link

if TYPE_CHECKING:
    from sandbox.sim.kernel import Kernel


class Faults:
    """The faults of one world."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def at(self, time_s: float, action: Callable[[], object]) -> None:
        """Do something at a virtual time; a time that has passed means at once."""
        delay_ns = round(time_s * SECOND) - self._kernel.clock.now_ns
        self._kernel.appoint(max(0, delay_ns), lambda: void(action()))

    def after(self, delay_s: float, action: Callable[[], object]) -> None:
        """Do something `delay_s` from now."""
        self._kernel.appoint(max(0, round(delay_s * SECOND)), lambda: void(action()))

    def partition(self, one: str, other: str) -> None:
        """Let nothing through between two names; it arrives after `heal`."""
        self._set(one, other, Link(severed=True), "partition")

    def slow(
        self, one: str, other: str, *, latency_s: float, bytes_per_s: int | None = None
    ) -> None:
        """Make the link between two names slow."""
        self._set(one, other, Link(round(latency_s * SECOND), bytes_per_s), "slow")

    def heal(self, one: str, other: str) -> None:
        """Undo `partition` and `slow` between two names; what was held back arrives."""
        self._kernel.network.links.heal(one, other)
        self._note("heal", one, other)
        self._kernel.network.after_change()

    def stop_service(self, name: str) -> None:
        """Stop a broker: its connections close, new ones are refused."""
        self._kernel.services[name].stop()

    def start_service(self, name: str) -> None:
        """Start a stopped broker with what survived."""
        self._kernel.services[name].start()

    def restart_service(self, name: str) -> None:
        """Stop and start a broker at one instant."""
        self._kernel.services[name].restart()

    def _set(self, one: str, other: str, link: Link, what: str) -> None:
        network = self._kernel.network
        network.links.set(one, other, link)
        self._note(what, one, other)
        network.after_change()

    def _note(self, what: str, one: str, other: str) -> None:
        kernel = self._kernel
        kernel.scheduler.eventful()
        kernel.trace.add(
            kernel.clock.now_ns, "", "fault", {"what": what, "one": one, "other": other}
        )


def void(_: object) -> None:
    """Discard a result."""
