"""What must be true of `prefetch_for`: far workers keep busy, and no worker hoards."""

import json

import pytest

LETTER_S, FAR_S = 0.1, 0.4


@pytest.mark.stack("simulated")
def test_letters_are_done_in_time_from_far_away(lab):
    prefetch = lab.call("prefetch_for", LETTER_S, FAR_S)
    lab.slow_link("worker", latency_s=FAR_S / 2)
    for _ in range(2):
        lab.start("worker", "letters", LETTER_S, FAR_S)
    lab.wait_until(lambda: lab.rabbitmq.consumers("letters") == 2, timeout_s=20)
    began = lab.now
    publish(lab, "letters", [LETTER_S] * 60)
    until_rendered(lab, 60)
    took = lab.now - began
    assert took < 4.5, (
        f"Two workers, 0.4 s away there and back, took {took:.1f} s for 60 letters of 0.1 s; next "
        f"door it would be 3. With a prefetch of {prefetch} each of them rendered "
        f"{30 / took:.1f} letters a second instead of 10. What did it do in between?"
    )


@pytest.mark.stack("simulated")
def test_a_machine_added_far_away_finds_letters_to_render(lab):
    prefetch = lab.call("prefetch_for", LETTER_S, FAR_S)
    lab.slow_link("worker", latency_s=FAR_S / 2)
    publish(lab, "letters", [LETTER_S] * 60)
    lab.start("worker", "letters", LETTER_S, FAR_S)
    until_rendered(lab, 1)
    began = lab.now
    lab.start("worker", "letters", LETTER_S, FAR_S)
    until_rendered(lab, 60)
    took = lab.now - began
    alone = max(6.0, 60 * (LETTER_S + FAR_S) / (prefetch or 60))
    assert took < 0.85 * alone, (
        f"60 letters took {took:.1f} s, and a second worker was started right after the first "
        f"letter. Alone, the first would have taken {alone:.1f} s. With a prefetch of {prefetch}, "
        "what was left in the queue when the second one came?"
    )


def test_a_machine_added_next_door_finds_letters_to_render(lab):
    prefetch = lab.call("prefetch_for", LETTER_S, 0.001)
    publish(lab, "letters", [LETTER_S] * 40)
    lab.start("worker", "letters", LETTER_S, 0.001)
    until_rendered(lab, 1)
    began = lab.now
    lab.start("worker", "letters", LETTER_S, 0.001)
    until_rendered(lab, 40)
    took = lab.now - began
    assert took < 3.4, (
        f"40 letters of 0.1 s took {took:.1f} s although a second worker was started right after "
        f"the first letter. With a prefetch of {prefetch}, what was left in the queue for it?"
    )


def test_every_machine_gets_a_report(lab):
    far = lab.stack == "simulated"
    report_s, round_trip_s = (10.0, FAR_S) if far else (2.0, 0.001)
    prefetch = lab.call("prefetch_for", report_s, round_trip_s)
    if far:
        lab.slow_link("worker", latency_s=round_trip_s / 2)
    publish(lab, "reports", [report_s] * 4)
    lab.start("worker", "reports", report_s, round_trip_s)
    lab.wait_until(lambda: lab.rabbitmq.ready("reports") < 4 or all_ended(lab), timeout_s=8)
    began = lab.now
    for _ in range(3):
        lab.start("worker", "reports", report_s, round_trip_s)
    until_rendered(lab, 4, timeout_s=60 if far else 9)
    took = lab.now - began
    assert took < 1.8 * report_s, (
        f"Four reports of {report_s:g} s, four machines, three of them added when the first had "
        f"begun: it took {took:.1f} s. With a prefetch of {prefetch} the first machine held "
        f"{min(prefetch or 4, 4)} reports from the start. What did the last machine do meanwhile?"
    )


def all_ended(lab):
    """Whether nobody is left who could do anything."""
    return not any(process.alive for process in lab.processes)


def publish(lab, queue, seconds):
    """Hand in documents that take so long: document-1, document-2 ..."""
    bodies = [
        json.dumps({"name": f"document-{number}", "seconds": each})
        for number, each in enumerate(seconds, start=1)
    ]
    lab.rabbitmq.publish(queue, bodies)


def until_rendered(lab, count, timeout_s=30):
    """Let time pass until so many documents are rendered."""
    lab.wait_until(
        lambda: len(lab.recorded("rendered")) >= count or all_ended(lab), timeout_s=timeout_s
    )
    done = len(lab.recorded("rendered"))
    assert done >= count, f"After {timeout_s} s only {done} documents are rendered."
