"""Stand-ins: what programs of a world get for `socket`, `time`, `threading` and so on.

Each asks "is this a fiber of a world?" and otherwise does exactly what it always did, so installing
them disturbs nothing around a world: not pytest, not a notebook kernel, not a thread beside it.
Inside, they translate the standard library's interface to `sandbox.sim.syscalls` and keep no state
of the world.

One file a module: `standins/time_.py` stands in for `time`. To stand in for another module, add a
file with an `install(replace)` function and name it in `installation.MODULES`.
"""

from sandbox.sim.standins.installation import importing, install

__all__ = ["importing", "install"]
