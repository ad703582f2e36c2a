"""What must be true of `worker`: work is shared as workers become free, and nothing is lost."""

import json


def tasks(*seconds):
    """The messages of documents that take so long: document-1, document-2 ..."""
    return [
        json.dumps({"name": f"document-{number}", "seconds": each})
        for number, each in enumerate(seconds, start=1)
    ]


def test_two_workers_render_every_document_once(lab):
    lab.rabbitmq.publish("documents", tasks(0.1, 0.1, 0.1, 0.1, 0.1, 0.1))
    lab.start("worker")
    lab.start("worker")
    until_rendered(lab, 6)
    lab.sleep(0.3)
    missing = unrendered(lab, 6)
    assert not missing, f"Two workers were at it, and {missing[0]} was never rendered."
    twice = lab.recorded("rendered").duplicates()
    assert not twice, f"{twice[0]} was rendered twice, and nobody had died."


def test_a_worker_holds_one_document_and_leaves_the_others_in_the_queue(lab):
    lab.rabbitmq.publish("documents", tasks(1, 1, 1, 1, 1))
    lab.start("worker")
    until_begun(lab)
    lab.sleep(0.3)
    left = lab.rabbitmq.ready("documents")
    assert left == 4, (
        f"At t = {lab.now:.1f} s the only worker is busy with document-1. Of the four others, "
        f"{left} are in the queue and {4 - left} in the hands of that worker, where nobody else "
        "can get at them."
    )


def test_a_worker_that_comes_late_finds_work(lab):
    lab.rabbitmq.publish("documents", tasks(*[0.5] * 8))
    lab.start("worker", name="early")
    until_begun(lab)
    lab.start("worker", name="late")
    lab.wait_until(lambda: two_at_once(lab) or not unrendered(lab, 8) or all_ended(lab))
    helped = two_at_once(lab)
    until_rendered(lab, 8)
    assert not unrendered(lab, 8), f"{unrendered(lab, 8)[0]} was never rendered."
    assert helped, (
        "A second worker came to help when the first had just begun with the first of eight "
        "documents, and never were two of them rendered at the same time. What was left for the "
        "second worker?"
    )


def test_heavy_documents_do_not_pile_up_on_one_worker(lab):
    lab.start("worker", name="left")
    lab.start("worker", name="right")
    lab.wait_until(lambda: len(lab.rabbitmq.connections()) == 2 or all_ended(lab), timeout_s=5)
    lab.sleep(0.3)
    lab.rabbitmq.publish("documents", tasks(1, 0.01, 1, 0.01, 1, 0.01, 1, 0.01))
    until_rendered(lab, 8)
    done = lab.recorded("rendered")
    assert not unrendered(lab, 8), f"{unrendered(lab, 8)[0]} was never rendered."
    assert done.index("document-8") > done.index("document-3"), (
        "Documents 1, 3, 5 and 7 take a second, the rest next to nothing. document-8, the last "
        "of them, was done before document-3: one worker had run out of long ones while another "
        "waited in the hands of its colleague. They were done in this order: "
        f"{', '.join(name.removeprefix('document-') for name in done)}. When is it decided who "
        "gets which document?"
    )


def test_what_a_dead_worker_had_in_hand_is_rendered_by_another(lab):
    def scenario(lab):
        lab.rabbitmq.publish("documents", tasks(0.1, 0.1, 0.1))
        first = lab.start("worker")
        lab.wait_until(lambda: not (unrendered(lab, 3) and first.alive), timeout_s=8)
        lab.sleep(0.2)
        first.kill()
        lab.start("worker")
        until_rendered(lab, 3)
        for name in unrendered(lab, 3):
            document = tasks(0.1, 0.1, 0.1)[int(name[-1]) - 1]
            raise AssertionError(
                f"{name} was never rendered, although another worker took over from the one that "
                f"died. {fate(lab, document)}"
            )

    lab.crash_everywhere("worker", scenario)


def until_begun(lab):
    """Let time pass until somebody renders something."""
    lab.wait_until(lambda: lab.recorded("begun") or all_ended(lab), timeout_s=8)
    assert lab.recorded("begun"), "Documents wait and a worker runs, and it has not begun with any."


def until_rendered(lab, count):
    """Let time pass until documents 1 to `count` are rendered, or nothing more happens."""
    lab.wait_until(lambda: not unrendered(lab, count) or all_ended(lab), timeout_s=9)


def two_at_once(lab):
    """Whether two documents are being rendered at this moment."""
    return len(lab.recorded("begun")) - len(lab.recorded("rendered")) >= 2


def all_ended(lab):
    """Whether nobody is left who could do anything."""
    return not any(process.alive for process in lab.processes)


def unrendered(lab, count):
    done = lab.recorded("rendered")
    return [f"document-{n}" for n in range(1, count + 1) if f"document-{n}" not in done]


def fate(lab, body):
    """What became of a message, where the stack can say it."""
    known = lab.rabbitmq.fate("documents", body)
    if known:
        return known[:1].upper() + known[1:] + ("" if "\n" in known else ".")
    return "When did RabbitMQ forget it?"
