"""What must be true of `main`: every order is confirmed once, and a stop breaks nothing."""

import signal

import pytest

from sandbox.course.fixture import Values

ORDERS = Values(["order-1", "order-2", "order-3"])


def test_every_order_is_confirmed_once(lab):
    confirm_all(lab)
    repeated = lab.recorded("sent").duplicates()
    assert not repeated, f"The customer of {repeated[0]} got the same e-mail twice."


def test_a_second_run_does_not_confirm_them_again(lab):
    program = confirm_all(lab)
    lab.sleep(0.3)
    program.kill()
    lab.start("main")
    lab.sleep(1.5)
    again = lab.recorded("begun").duplicates()
    assert not again, (
        f"{again[0]} was confirmed in the first run, and the second run wrote to the same customer "
        "again. Why did RabbitMQ still have it?"
    )


def test_ctrl_c_ends_it_in_peace(lab):
    ends_in_peace(lab, signal.SIGINT, "Ctrl-C was pressed")


def test_sigterm_ends_it_in_peace(lab):
    ends_in_peace(lab, signal.SIGTERM, "SIGTERM came, as from `docker stop`,")


def test_the_order_in_hand_is_finished(lab):
    told_while_at_work(lab)
    assert lab.recorded("sent")[:1] == ["order-1"], (
        "SIGTERM came while the e-mail for order-1 was on its way, and the program dropped it half "
        "done. What may a signal handler interrupt?"
    )
    left = [message.body.decode() for message in lab.rabbitmq.messages("orders")]
    assert "order-1" not in left, (
        "The e-mail for order-1 was sent, and order-1 is in the queue again: the next run will "
        "send it a second time. What was the last thing the program told RabbitMQ about order-1?"
    )


def test_nothing_new_is_begun_after_the_signal(lab):
    told_while_at_work(lab)
    begun = lab.recorded("begun")
    assert len(begun) <= 1, (
        f"SIGTERM came while order-1 was in hand, and after it the program began {begun[1]}. With "
        "a thousand orders in its hands it would go on for a quarter of an hour; `docker stop` "
        "waits ten seconds and then kills."
    )


@pytest.mark.stack("simulated")
def test_it_says_goodbye_to_rabbitmq(lab):
    program = lab.start("main")
    lab.sleep(1)
    program.signal(signal.SIGINT)
    program.wait(5)
    program.kill()
    lab.sleep(1)
    reasons = [event["reason"] for event in lab.rabbitmq.events("connection.close")]
    assert reasons and all(reason.startswith("client: 200") for reason in reasons), (
        "The program ended and RabbitMQ learned of it only from the broken connection "
        f"(its log says: {'; '.join(reasons) or 'nothing'}). Who closes the connection?"
    )


def confirm_all(lab):
    """Run `main` until three orders are confirmed, or nothing more happens."""
    lab.rabbitmq.publish("orders", ORDERS)
    program = lab.start("main")
    lab.wait_until(lambda: len(lab.recorded("sent")) >= 3 or not program.alive, timeout_s=8)
    missing = ORDERS - lab.recorded("sent")
    assert not missing, (
        f"{', '.join(ORDERS)} waited in the queue, and no e-mail went out for {', '.join(missing)}."
    )
    return program


def ends_in_peace(lab, number, what):
    """Send a signal to a program that waits for orders."""
    lab.rabbitmq.declare("orders")
    program = lab.start("main")
    lab.wait_until(lambda: lab.rabbitmq.consumers("orders") > 0 or not program.alive, timeout_s=5)
    lab.sleep(0.3)
    assert program.alive, "`main` ended by itself while it should have waited for orders."
    program.signal(number)
    assert program.wait(5), f"{what} and five seconds later the program still runs."
    assert program.exit == 0, (
        f"{what} and the program ended with status {program.exit}; 0 would say that all is well. "
        "Whoever started it now believes that it crashed."
    )
    assert "Traceback" not in program.output, f"{what} and the program ended with a traceback."


def told_while_at_work(lab):
    """Send SIGTERM in the middle of the first order."""
    lab.rabbitmq.publish("orders", ORDERS)
    program = lab.start("main")
    lab.wait_until(lambda: lab.recorded("begun") or not program.alive, timeout_s=5)
    assert lab.recorded("begun"), "`main` was started, and never began with order-1."
    lab.sleep(0.4)
    program.signal(signal.SIGTERM)
    program.wait(8)
    program.kill()
    lab.sleep(0.3)
