"""What must be true of `submit`: one JSON message per task, in order, over one connection."""

import json

import pytest

LETTERS = [{"name": f"letter-{number}", "seconds": 0.1} for number in range(1, 6)]


def test_every_task_is_a_message_of_its_own(lab):
    lab.call("submit", LETTERS)
    bodies = arrived(lab, len(LETTERS))
    assert len(bodies) == len(LETTERS), (
        f"{len(LETTERS)} tasks were submitted; messages in `documents`: {len(bodies)}. "
        "How would two workers share them?"
    )


def test_a_worker_in_any_language_can_read_them(lab):
    tasks = [{"name": "letter to Zoë", "seconds": 0.1}, {"name": "report 2026", "seconds": 10}]
    lab.call("submit", tasks)
    for body in arrived(lab, len(tasks)):
        try:
            json.loads(body)
        except ValueError:
            pytest.fail(
                f"One message says {body.decode('utf-8', 'replace')}. That is no JSON: a worker "
                "written in Java or JavaScript cannot read it, and neither can `json.loads`."
            )
    read = [json.loads(body) for body in arrived(lab, len(tasks))]
    assert flat(read) == tasks, f"Submitted was {tasks}; a worker reads {read}."


def test_tasks_that_wait_already_stay_and_come_first(lab):
    lab.call("submit", LETTERS[:2])
    arrived(lab, 1)
    lab.call("submit", LETTERS[2:])
    arrived(lab, len(LETTERS))
    waiting = "".join(message.body.decode() for message in lab.rabbitmq.messages("documents"))
    places = [waiting.find(task["name"]) for task in LETTERS]
    lost = [task["name"] for task, place in zip(LETTERS, places, strict=True) if place < 0]
    assert not lost, f"{lost[0]} is not in the queue after the second list was handed in."
    assert places == sorted(places), "The tasks wait in another order than they were submitted in."


@pytest.mark.stack("simulated")
def test_a_long_list_takes_one_connection(lab):
    lab.call("submit", LETTERS * 10)
    opened = len(lab.rabbitmq.events("connection.open"))
    assert opened == 1, (
        f"50 tasks took {opened} connections and {lab.now:.2f} s. A connection costs several "
        "trips to RabbitMQ and back; a message costs none that anybody waits for."
    )


def arrived(lab, count):
    """The bodies in the queue, once there are so many, or after a moment if there never are."""
    lab.wait_until(lambda: lab.rabbitmq.ready("documents") >= count, timeout_s=2)
    return [message.body for message in lab.rabbitmq.messages("documents")]


def flat(read):
    """The tasks of all messages, also of one that holds several: that has a check of its own."""
    return [task for each in read for task in (each if isinstance(each, list) else [each])]
