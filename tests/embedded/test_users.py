"""The file of users: what it may say, and how it is told that it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.embedded import users
from sandbox.embedded.errors import BadUsers
from sandbox.embedded.users import User


def written(folder: Path, text: str) -> Path:
    path = folder / "users.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_users_is_read(tmp_path):
    found = users.read(
        written(
            tmp_path,
            """
            [users.alice]
            password = "wonderland"
            tags = ["administrator"]

            [users.bob]
            password = "builder"
            [users.bob.permissions."/site"]
            configure = "^bob-"
            read = ".*"
            """,
        )
    )
    assert found.everybody == (
        User("alice", "wonderland", ("administrator",), None),
        User("bob", "builder", (), {"/site": {"configure": "^bob-", "write": "", "read": ".*"}}),
    )
    assert found.passwords == {"alice": "wonderland", "bob": "builder"}
    assert found.vhosts == ("/", "/site")


def test_the_example_in_the_description_is_right(tmp_path):
    assert users.__doc__ is not None
    example = "\n".join(line[4:] for line in users.__doc__.splitlines() if line.startswith("    "))
    assert [user.name for user in users.read(written(tmp_path, example)).everybody] == [
        "alice",
        "bob",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must hold one table for each user"),
        ("[users]", "must hold one table for each user"),
        ('[user.alice]\npassword = "x"', "must hold one table for each user"),
        ("[users.alice]", "[users.alice] needs a password, in quotes"),
        ("[users.alice]\npassword = 7", "[users.alice] needs a password, in quotes"),
        ("[users]\nalice = 7", "[users.alice] must be a table"),
        ('[users.a]\npassword = "x"\nsecret = "y"', "[users.a] has no secret; it has"),
        ('[users.a]\npassword = "x"\ntags = "administrator"', "tags must be a list"),
        (
            '[users.a]\npassword = "x"\n[users.a.permissions."/"]\nwrit = ".*"',
            '[users.a.permissions."/"] may hold configure, write, read and nothing else',
        ),
        (
            '[users.a]\npassword = "x"\n[users.a.permissions."/"]\nwrite = "("',
            "write must be a regular expression in quotes",
        ),
        ("[users.a", "is not TOML"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_place(tmp_path, text, told):
    with pytest.raises(BadUsers) as refusal:
        users.read(written(tmp_path, text))
    assert told in str(refusal.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BadUsers, match=r"cannot be read \(No such file"):
        users.read(tmp_path / "nobody.toml")
