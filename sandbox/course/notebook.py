"""A lesson as a Jupyter notebook, with what its cells print inside.

The first cell loads the kernel extension, which runs all that follow inside a world, so it prints
what the page prints, byte for byte: `pytest --nbval` compares them strictly. Questions become text
with the answer folded away; exercises become text with the command that checks them.

To change how a block looks in a notebook, change its case in `_cell`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import nbformat
from nbformat import v4

from sandbox.course.lesson import Block, Cell, ExerciseCard, Predict, Prose, read_lesson
from sandbox.course.model import Lab

LOAD = "%load_ext sandbox"


def write_notebook(lab: Lab, folder: Path) -> Path:
    """Write a lab's lesson to `folder/<slug>.ipynb`; return that path.

    The file depends on the lesson only, so writing it twice changes nothing.
    """
    notebook = make_notebook(lab)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{lab.slug}.ipynb"
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return path


def make_notebook(lab: Lab) -> nbformat.NotebookNode:
    """A lab's lesson as a notebook."""
    blocks = read_lesson(lab.lesson_path, exercises=[each.id for each in lab.exercises])
    setup = LOAD + f"\n%sandbox_world --seed {lab.seeds[0]} {' '.join(lab.needs)}".rstrip()
    made = [v4.new_code_cell(setup)]
    made += [cell for block in blocks if (cell := _cell(block, lab)) is not None]
    code = [cell for cell in made if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, start=1):  # a cell that has run: its output is its own
        cell["execution_count"] = number
    for number, cell in enumerate(made):
        cell["id"] = hashlib.sha256(f"{lab.slug} {number}".encode()).hexdigest()[:8]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook = v4.new_notebook(cells=made, metadata=metadata)
    nbformat.validate(notebook)
    return notebook


def _cell(block: Block, lab: Lab) -> nbformat.NotebookNode | None:
    match block:
        case Prose(text=text):
            return v4.new_markdown_cell(text.strip()) if text.strip() else None
        case Cell(source=source, output=output):
            cell = v4.new_code_cell(source.rstrip("\n"))
            if output:
                cell["outputs"] = [v4.new_output("stream", name="stdout", text=output)]
            return cell
        case Predict():
            options = "\n".join(f"- {option.text}" for option in block.options)
            right = next(option.text for option in block.options if option.right)
            return v4.new_markdown_cell(
                f"**Predict first.** {block.question}\n\n{options}\n\n"
                f"<details><summary>Committed? Look.</summary>\n\n{right}\n\n{block.because}\n\n"
                "</details>"
            )
        case ExerciseCard(id=exercise_id):
            exercise = lab.exercise(exercise_id)
            return v4.new_markdown_cell(
                f"## Exercise: {exercise.title} ({exercise.points} points)\n\n{exercise.goal}\n\n"
                f"In a terminal: `sandbox watch {lab.slug}`, your file is "
                f"`{lab.slug}/{exercise_id}.py`."
            )
