"""Highlighted code keeps its text and uses the editor's class names."""

import html
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.site.highlight import CLASSES, python_html

TAG = re.compile(r"<[^>]+>")


def text_of(markup: str) -> str:
    return html.unescape(TAG.sub("", markup))


@settings(deadline=None)
@example("\ufeffx = 1")
@given(st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"])))
def test_highlighting_never_changes_the_text(source: str) -> None:
    assert text_of(python_html(source)) == source


def test_tokens_have_the_editors_class_names() -> None:
    markup = python_html('def send(n):  # now\n    return f"{n}" is None\n')
    assert '<span class="tok-keyword">def</span>' in markup
    assert '<span class="tok-definition">send</span>' in markup
    assert '<span class="tok-comment"># now</span>' in markup
    assert '<span class="tok-bool">None</span>' in markup


def test_code_that_looks_like_html_stays_text() -> None:
    assert "<b>" not in python_html('x = "<b>" < "</pre>"')


def test_every_class_exists_in_the_style_sheet_or_means_plain_ink() -> None:
    from sandbox.site.bundle.npm import web_folder

    styles = (web_folder() / "src" / "style" / "code.css").read_text(encoding="utf-8")
    plain = {"tok-variableName", "tok-operator"}
    assert {name for name in CLASSES.values() if f".{name}" not in styles} <= plain
