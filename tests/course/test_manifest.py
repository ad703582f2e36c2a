"""`lab.toml`: what is read, and what its author is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.course.errors import CourseError
from sandbox.course.manifest import find_exercise, find_lab, find_labs, load_lab, read_mistake
from sandbox.course.places import Root


def complaint(tiny: Path) -> str:
    with pytest.raises(CourseError) as caught:
        load_lab(tiny)
    return str(caught.value)


def rewrite(tiny: Path, old: str, new: str) -> None:
    path = tiny / "lab.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_lab_is_read_whole(tiny: Path) -> None:
    lab = load_lab(tiny)
    assert (lab.slug, lab.title, lab.minutes, lab.order) == ("tiny", "A tiny lab", 20, 1)
    assert (lab.needs, lab.after, lab.seeds, lab.points) == (("rabbitmq",), (), (1, 7), 5)
    total, relay = lab.exercises
    assert (total.id, total.points, total.solution_after) == ("total", 2, 3)
    assert total.hints == ("What is a total?", "Look at `sum`.")
    assert (relay.id, relay.points, relay.solution_after) == ("relay", 3, None)
    assert lab.solution("total").is_file()
    assert [path.stem for path in lab.alternatives("relay")] == ["by_callback"]
    assert [path.stem for path in lab.mistakes("total")] == [
        "breaks_on_nothing",
        "forgets_the_last",
    ]


def test_a_misspelt_key_is_named_with_its_file_and_the_nearest_key(tiny: Path) -> None:
    rewrite(tiny, "minutes = 20", "minuts = 20")
    said = complaint(tiny)
    assert str(tiny / "lab.toml") in said
    assert "`minuts`" in said
    assert "Did you mean `minutes`?" in said


def test_a_misspelt_key_of_an_exercise_names_the_exercise(tiny: Path) -> None:
    rewrite(tiny, "points = 3", "point = 3")
    said = complaint(tiny)
    assert "`point` of exercise 'relay'" in said
    assert "`points`" in said


def test_a_missing_key_is_named(tiny: Path) -> None:
    rewrite(tiny, 'title = "A tiny lab"\n', "")
    assert "`title` is missing" in complaint(tiny)


@pytest.mark.parametrize(
    ("old", "new", "key", "wanted"),
    [
        ("minutes = 20", 'minutes = "20"', "`minutes`", "a whole number, 1 or more"),
        ("minutes = 20", "minutes = true", "`minutes`", "a whole number, 1 or more"),
        ("points = 3", "points = 0", "`points` of exercise 'relay'", "1 or more"),
        ("seeds = [1, 7]", "seeds = [1, 1]", "`seeds`", "different whole numbers"),
        ("seeds = [1, 7]", "seeds = []", "`seeds`", "at least one"),
        ('needs = ["rabbitmq"]', 'needs = ["rabbit"]', "`needs`", "rabbitmq"),
        ('id = "relay"', 'id = "re-lay"', "`id` of exercise 're-lay'", "a Python name"),
        ('title = "Ship every order"', 'title = " "', "`title`", "not empty"),
        (
            'hints = ["Who tells the broker that a message is done?"]',
            'hints = "x"',
            "`hints`",
            "a list of texts",
        ),
    ],
)
def test_a_wrong_value_is_shown_with_what_it_should_be(
    tiny: Path, old: str, new: str, key: str, wanted: str
) -> None:
    rewrite(tiny, old, new)
    said = complaint(tiny)
    assert key in said
    assert wanted in said


def test_a_slug_that_is_not_the_folders_name_is_refused(tiny: Path) -> None:
    rewrite(tiny, 'slug = "tiny"', 'slug = "small"')
    assert "'small'" in complaint(tiny)


def test_text_that_is_not_toml_is_reported_with_its_line(tiny: Path) -> None:
    rewrite(tiny, 'slug = "tiny"', "slug = ")
    assert "not TOML" in complaint(tiny)
    assert "line 1" in complaint(tiny)


def test_two_exercises_with_one_id_are_refused(tiny: Path) -> None:
    rewrite(tiny, 'id = "relay"', 'id = "total"')
    assert "Two exercises have the id 'total'" in complaint(tiny)


def test_a_lab_without_exercises_is_refused(tiny: Path) -> None:
    path = tiny / "lab.toml"
    path.write_text(path.read_text().partition("[[exercise]]")[0])
    assert "at least one [[exercise]]" in complaint(tiny)


@pytest.mark.parametrize("name", ["exercises/relay.py", "checks/test_relay.py"])
def test_an_exercise_without_one_of_its_files_is_refused(tiny: Path, name: str) -> None:
    (tiny / name).unlink()
    said = complaint(tiny)
    assert "'relay'" in said
    assert name in said


def test_a_folder_without_a_manifest_is_no_lab(tmp_path: Path) -> None:
    assert "no such file" in complaint(tmp_path)


def test_labs_are_found_in_their_order_and_the_first_root_wins(
    course: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    for slug, order in (("late", 9), ("early", 1), ("tiny", 5)):
        folder = other / "labs" / slug
        (folder / "exercises").mkdir(parents=True)
        (folder / "checks").mkdir()
        (folder / "exercises" / "one.py").touch()
        (folder / "checks" / "test_one.py").touch()
        (folder / "lab.toml").write_text(
            f'slug = "{slug}"\ntitle = "{slug}"\nminutes = 1\norder = {order}\n'
            '[[exercise]]\nid = "one"\ntitle = "One"\npoints = 1\n'
        )
    roots = [Root(each / "labs", each / "solutions") for each in (course, other)]
    labs = find_labs(roots)
    assert [lab.slug for lab in labs] == ["early", "tiny", "late"]
    assert labs[1].folder == course / "labs" / "tiny"


def test_one_lab_is_found_though_another_is_broken(course: Path) -> None:
    broken = course / "labs" / "broken"
    broken.mkdir()
    (broken / "lab.toml").write_text("slug = 1")
    root = Root(course / "labs", course / "solutions")
    assert find_lab("tiny", [root]).slug == "tiny"
    with pytest.raises(CourseError):
        find_labs([root])


def test_the_nearest_lab_and_exercise_are_suggested(course: Path) -> None:
    root = Root(course / "labs", course / "solutions")
    with pytest.raises(CourseError, match=r"Did you mean tiny\?"):
        find_lab("tinny", [root])
    with pytest.raises(CourseError, match=r"There are: tiny\."):
        find_lab("zebra", [root])
    with pytest.raises(CourseError, match=r"Did you mean relay\?"):
        find_exercise(find_lab("tiny", [root]), "relais")


def test_the_headers_of_a_mistake_are_read(tiny: Path) -> None:
    lab = load_lab(tiny)
    path = tiny / "mistakes" / "relay" / "never_acks.py"
    path.write_text(
        "# caught-by: test_every_order_is_shipped, test_no_order_is_left_unacknowledged\n"
        "# hint: A question that is so long\n#   that it needs two lines.\nx = 1\n"
    )
    mistake = read_mistake(lab, "relay", path)
    assert mistake.name == "never_acks"
    assert mistake.caught_by == (
        "test_every_order_is_shipped",
        "test_no_order_is_left_unacknowledged",
    )
    assert mistake.hint == "A question that is so long that it needs two lines."


def test_a_mistake_that_names_no_check_or_asks_nothing_is_refused(tiny: Path) -> None:
    lab = load_lab(tiny)
    path = tiny / "mistakes" / "relay" / "never_acks.py"
    path.write_text("# caught-by: test_every_order_is_shiped\n# hint: Hm?\n")
    with pytest.raises(CourseError, match=r"Did you mean test_every_order_is_shipped\?"):
        read_mistake(lab, "relay", path)
    path.write_text("# caught-by: test_every_order_is_shipped\n")
    with pytest.raises(CourseError, match="# hint:"):
        read_mistake(lab, "relay", path)
