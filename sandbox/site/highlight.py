"""Python source as HTML, with the class names that the page's editor uses.

The built page and the editor that later replaces its code must look the same, so Pygments' tokens
are written as CodeMirror's `tok-*` classes; the colours are in web/src/style/code.css. To colour
another kind of token, add it to `CLASSES`.
"""

from __future__ import annotations

from html import escape

from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, _TokenType

#: Pygments' token kinds to CodeMirror's classes; a kind stands for its children too.
CLASSES = {
    Keyword: "tok-keyword",
    Keyword.Constant: "tok-bool",
    Operator.Word: "tok-keyword",
    Operator: "tok-operator",
    Punctuation: "tok-punctuation",
    String: "tok-string",
    String.Escape: "tok-string2",
    String.Interpol: "tok-punctuation",
    Number: "tok-number",
    Comment: "tok-comment",
    Name.Function: "tok-definition",
    Name.Class: "tok-className",
    Name.Decorator: "tok-meta",
    Name: "tok-variableName",
}


def _class_of(kind: _TokenType) -> str:
    for ancestor in reversed(kind.split()):
        if ancestor in CLASSES:
            return CLASSES[ancestor]
    return ""


def python_html(source: str) -> str:
    """Return `source` as HTML: its text unchanged, its tokens in `span`s."""
    parts: list[str] = []
    # Not `get_tokens`, which tidies the text up first: it drops a byte order mark, for one.
    for _, kind, text in PythonLexer().get_tokens_unprocessed(source):
        name = _class_of(kind)
        body = escape(text, quote=False)
        parts.append(f'<span class="{name}">{body}</span>' if name and text.strip() else body)
    return "".join(parts)
