"""What must be true of `receive`: every order is shown as text, once, and none is lost."""

ORDERS = ["order-1", "order-2", "order-3"]


def test_orders_that_waited_are_shown_oldest_first(lab):
    lab.rabbitmq.publish("orders", ORDERS)
    lab.start("receive")
    until_shown(lab, 3)
    assert lab.recorded("shown") == ORDERS, (
        f"{', '.join(ORDERS)} waited in the queue; the screen shows {on_screen(lab)}."
    )


def test_an_order_is_shown_as_text(lab):
    lab.rabbitmq.publish("orders", ["order-1: 2 × crème brûlée"])
    screen = lab.start("receive")
    until_shown(lab, 1)
    lab.wait_until(lambda: "\n" in screen.output or all_ended(lab), timeout_s=2)
    assert "order-1: 2 × crème brûlée" in screen.output, (
        "The customer wrote `order-1: 2 × crème brûlée`. "
        f"The screen says `{screen.output.strip() or 'nothing'}`."
    )


def test_orders_that_come_later_are_shown_too(lab):
    lab.rabbitmq.publish("orders", ["order-1"])
    screen = lab.start("receive")
    until_shown(lab, 1)
    lab.sleep(0.5)
    lab.rabbitmq.publish("orders", ["order-2", "order-3"])
    until_shown(lab, 3)
    late = missing(lab)
    assert not late, f"{late[0]} came half a second after order-1 and is not on the screen. " + (
        "`receive` waits, and does not show it."
        if screen.alive
        else "`receive` had ended by then: an empty queue is not the end of the day."
    )


def test_it_can_start_before_the_first_order(lab):
    screen = lab.start("receive")
    lab.sleep(0.5)
    assert screen.alive, (
        "`receive` was started before anybody had sent an order, and ended at once."
    )
    lab.rabbitmq.publish("orders", ORDERS)
    until_shown(lab, 3)
    assert not missing(lab), f"`receive` waited, but never showed {missing(lab)[0]}."


def test_a_shown_order_does_not_come_back(lab):
    lab.rabbitmq.publish("orders", ORDERS)
    screen = lab.start("receive")
    until_shown(lab, 3)
    assert not missing(lab), f"`receive` never showed {missing(lab)[0]}."
    lab.sleep(0.3)
    screen.kill()
    shown = len(lab.recorded("shown"))
    lab.start("receive")
    lab.sleep(0.5)
    again = lab.recorded("shown")[shown:]
    assert not again, (
        f"`receive` showed {on_screen(lab, shown)}, was stopped and started again, and now shows "
        f"{again[0]} once more. How does RabbitMQ learn that an order is done?"
    )


def test_no_order_is_lost_when_it_is_killed(lab):
    def scenario(lab):
        lab.rabbitmq.publish("orders", ORDERS)
        screen = lab.start("receive")
        lab.wait_until(lambda: not (missing(lab) and screen.alive), timeout_s=5)
        lab.sleep(0.2)
        screen.kill()
        lab.start("receive")
        lab.wait_until(lambda: not missing(lab) or all_ended(lab), timeout_s=5)
        assert not missing(lab), (
            f"{missing(lab)[0]} never reached the screen: `receive` was killed and started again, "
            f"and by then RabbitMQ had forgotten it. {fate(lab, missing(lab)[0])}"
        )

    lab.crash_everywhere("receive", scenario)


def until_shown(lab, count):
    """Let time pass until so many orders are on the screen, or nothing more happens."""
    lab.wait_until(lambda: len(lab.recorded("shown")) >= count or all_ended(lab), timeout_s=5)


def all_ended(lab):
    """Whether nobody is left who could do anything."""
    return not any(process.alive for process in lab.processes)


def missing(lab):
    """Orders that are not on the screen."""
    return [order for order in ORDERS if order not in lab.recorded("shown")]


def fate(lab, order):
    """What became of an order, where the stack can say it."""
    known = lab.rabbitmq.fate("orders", order)
    if known:
        return known[:1].upper() + known[1:] + ("" if "\n" in known else ".")
    return "When does RabbitMQ forget an order?"


def on_screen(lab, count=None):
    return ", ".join(lab.recorded("shown")[:count]) or "nothing"
