"""The modules that a process does not share: its program, and what it imports from its own folder.

While one of its fibers runs, `sys.modules` and `sys.path` show the process's own; in between they
show what they did before. Libraries are shared, as their files would be.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

from sandbox.sim.standins.libraries_ import adapt

#: Never imported from a learner's folder, even when that folder is a checkout of this project.
_OURS = "sandbox"

#: Modules of processes that have ended whose objects would run code when they are collected.
_pinned: list[types.ModuleType] = []


class OwnModules:
    """`sys.modules` and `sys.path` as one process sees them."""

    def __init__(self, folder: Path | None, own_files: set[str]) -> None:
        self.folder = folder
        self._path = "" if folder is None else str(folder)
        self._own_files = own_files
        self._modules: dict[str, types.ModuleType] = {}
        #: What `sys.modules` held under a name that shows ours now; None: nothing.
        self._hidden: dict[str, types.ModuleType | None] = {}
        self._count = 0
        self._names: set[str] | None = None

    def add(self, module: types.ModuleType) -> None:
        """Make a module this process's own; only while it runs."""
        name = module.__name__
        if name not in self._hidden:
            self._hidden[name] = sys.modules.get(name)
        self._modules[name] = module
        sys.modules[name] = module
        self._count = len(sys.modules)

    def show(self) -> None:
        """The process goes on."""
        if self._path:
            sys.path.insert(0, self._path)
            self._hide_namesakes()
        for name, module in self._modules.items():
            self._hidden[name] = sys.modules.get(name)
            sys.modules[name] = module
        self._count = len(sys.modules)

    def hide(self) -> None:
        """Somebody else goes on."""
        if self._path:
            if self._path in sys.path:
                sys.path.remove(self._path)
            self.keep_new()
        for name, hidden in self._hidden.items():
            if hidden is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = hidden
        self._hidden.clear()

    def over(self) -> None:
        """The process has ended: no destructor of its objects may run in somebody else's time."""
        for module in self._modules.values():
            values = list(vars(module).values())
            if any(isinstance(value, type) and hasattr(value, "__del__") for value in values):
                _pinned.append(module)

    def keep_new(self) -> None:
        """Modules that were imported from the folder since `show` belong to the process."""
        if not self._path or len(sys.modules) == self._count:
            return
        for name in list(sys.modules)[self._count :]:
            module = sys.modules[name]
            file = getattr(module, "__file__", None)
            if file is not None and self._is_own(file):
                self._own_files.add(file)
                self._modules[name] = module
                self._hidden.setdefault(name, None)
        self._count = len(sys.modules)
        adapt()

    def _is_own(self, file: str) -> bool:
        """Whether a module's file is the learner's, and not a library installed below it."""
        path = Path(file)
        if self.folder is None or not path.is_relative_to(self.folder):
            return False
        below = path.relative_to(self.folder).parts
        return not {"site-packages", "dist-packages"} & set(below) and below[0] != _OURS

    def _hide_namesakes(self) -> None:
        """A `helper` that something outside imported is not the `helper` in the folder."""
        if self._names is None:
            assert self.folder is not None
            entries = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
            found = {entry.stem for entry in entries if entry.suffix == ".py"}
            found |= {entry.name for entry in entries if (entry / "__init__.py").is_file()}
            self._names = found - sys.stdlib_module_names - {_OURS, "__main__", "__init__"}
        namesakes = self._names & sys.modules.keys() - self._modules.keys()
        if namesakes:
            for name in list(sys.modules):
                if name.partition(".")[0] in namesakes and name not in self._modules:
                    self._hidden[name] = sys.modules.pop(name)
