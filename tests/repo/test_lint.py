"""The repository checks itself: layers, and configuration that says what it means."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent


def test_packages_import_only_what_is_below_them() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_hooks_and_make_lint_use_the_same_tools() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = {hook["id"] for repo in config["repos"] for hook in repo["hooks"]}
    script = (ROOT / "tools" / "lint").read_text()
    for hook in hooks:
        assert hook.partition("-")[0] in script, hook
    assert all(repo["repo"] == "local" for repo in config["repos"])


def test_every_runtime_dependency_is_imported_somewhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sources = "\n".join(path.read_text() for path in (ROOT / "sandbox").rglob("*.py"))
    modules: dict[str, list[str]] = {}
    for module, distributions in packages_distributions().items():
        for distribution in distributions:
            modules.setdefault(canonicalize_name(distribution), []).append(module)
    for requirement in project["dependencies"]:
        name = canonicalize_name(Requirement(requirement).name)
        assert any(
            # By name: client libraries that learners' programs import.
            f"import {module}" in sources or f"from {module}" in sources or f'"{module}"' in sources
            for module in modules.get(name, ())
        ), name


def test_every_decision_is_short_and_says_what_else_was_considered() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert pages
    for page in pages:
        text = page.read_text()
        assert "considered" in text.lower(), page.name
        assert len(text.splitlines()) <= 60, page.name
