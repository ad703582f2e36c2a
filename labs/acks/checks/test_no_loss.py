"""What must be true of the shipping worker. Orders go in, a worker dies, orders come out."""

ORDERS = ["order-1", "order-2", "order-3", "order-4"]


def test_every_order_is_shipped_when_nothing_goes_wrong(lab):
    lab.rabbitmq.publish("orders", ORDERS)
    lab.start("worker")
    lab.run_until_idle()
    assert_all_shipped(lab)


def test_an_order_that_was_shipped_leaves_the_queue(lab):
    lab.rabbitmq.publish("orders", ORDERS)
    lab.start("worker")
    lab.run_until_idle()
    kept = lab.rabbitmq.published("orders") - lab.rabbitmq.acked("orders")
    assert not kept, (
        f"RabbitMQ still keeps {', '.join(kept)} for somebody. Of {kept[0]} it knows this: "
        f"{lab.rabbitmq.fate('orders', kept[0]) or 'nobody acknowledged it'}. "
        f"Shipped so far: {', '.join(lab.recorded('shipped')) or 'nothing'}. What will become of "
        "the orders that it keeps when this worker stops?"
    )


def test_no_order_is_lost_when_the_worker_dies(lab):
    lab.crash_everywhere("worker", a_worker_dies)


def test_an_order_that_the_courier_refuses_is_shipped_later(lab):
    lab.crash_everywhere("worker", a_worker_is_refused)


def test_the_next_worker_ships_what_a_dead_one_left(lab):
    a_worker_dies_and_another_takes_over(lab)
    assert_all_shipped(lab)


def test_a_crash_repeats_at_most_the_order_in_hand(lab):
    died_at = a_worker_dies_and_another_takes_over(lab)
    again = lab.recorded("shipped").duplicates()
    assert len(again) <= 1, (
        f"{', '.join(again)} were shipped twice. The first worker had shipped three orders when it "
        f"died at t = {died_at:.3f} s, in the middle of the fourth; RabbitMQ gave the next worker "
        "every order that nobody had acknowledged."
    )


def a_worker_dies(lab):
    lab.rabbitmq.publish("orders", ORDERS[:3])
    worker = lab.start("worker")
    lab.run_until_idle()
    assert_none_lost(lab, worker)


def a_worker_is_refused(lab):
    lab.rabbitmq.publish("orders", ["order-1 piano", "order-2"])
    worker = lab.start("worker")
    lab.run_until_idle()
    assert_none_lost(lab, worker)


def a_worker_dies_and_another_takes_over(lab):
    lab.rabbitmq.publish("orders", ORDERS)
    first = lab.start("worker")
    begun = lab.wait_until(lambda: len(lab.recorded("shipped")) == 3)
    assert begun, (
        f"The first worker should have died after shipping three of {len(ORDERS)} orders, but it "
        f"never shipped more than {len(lab.recorded('shipped'))}."
    )
    lab.sleep(0.1)
    died_at = lab.now
    first.kill()
    lab.start("worker")
    lab.run_until_idle()
    return died_at


def assert_none_lost(lab, worker):
    """An order is safe when it was shipped, or when it waits for the next worker.

    A worker that nobody killed has no excuse: it ships them all.
    """
    waiting = [message.body.decode() for message in lab.rabbitmq.messages("orders")]
    killed = not worker.alive and worker.exception is None
    safe = [*lab.recorded("shipped"), *(waiting if killed else [])]
    lost = [order for order in dict.fromkeys(lab.rabbitmq.published("orders")) if order not in safe]
    if lost:
        end = "It is not in the queue either, so no worker will ever see it." if killed else ""
        raise AssertionError(f"{unshipped(lab, lost)}\n{end}".strip())


def assert_all_shipped(lab):
    missing = lab.rabbitmq.published("orders") - lab.recorded("shipped")
    assert not missing, unshipped(lab, missing)


def unshipped(lab, orders):
    """The first of them, and what became of it."""
    became = lab.rabbitmq.fate("orders", orders[0])
    others = "" if len(orders) == 1 else f"\nNor was {', '.join(orders[1:])}."
    return f"{orders[0]} was never shipped{became and ': '}{became}{others}"
