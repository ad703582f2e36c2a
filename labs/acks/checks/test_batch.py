"""What must be true of the batching worker: few acknowledgements, and none too early."""

import pytest

ORDERS = [f"order-{number}" for number in range(1, 24)]


def test_every_order_is_shipped(lab):
    lab.rabbitmq.publish("orders", ORDERS)
    lab.start("worker")
    lab.run_until_idle()
    missing = lab.rabbitmq.published("orders") - lab.recorded("shipped")
    assert not missing, (
        f"{len(missing)} of {len(ORDERS)} orders were not shipped, {missing[0]} the first of them: "
        f"{lab.rabbitmq.fate('orders', missing[0]) or 'the worker stopped before it'}\n"
        f"The worker held {lab.rabbitmq.unacked('orders')} unacknowledged orders and had "
        f"acknowledged {len(lab.rabbitmq.acked('orders'))} when everything came to rest."
    )


@pytest.mark.stack("simulated")
def test_one_acknowledgement_covers_ten_orders(lab):
    lab.rabbitmq.publish("orders", ORDERS)
    lab.start("worker")
    lab.run_until_idle()
    sizes = [len(event["messages"]) for event in lab.rabbitmq.events("basic.ack")]
    assert sizes, "The worker sent no acknowledgement at all for 23 orders."
    assert len(sizes) <= 3, (
        f"23 orders took {len(sizes)} acknowledgements. They covered "
        f"{', '.join(map(str, sizes[:8]))}{' ...' if sizes[8:] else ''} orders; ten, ten and then "
        "the left-over three would do."
    )


def test_left_over_orders_are_acknowledged_too(lab):
    lab.rabbitmq.publish("orders", ORDERS)
    lab.start("worker")
    lab.run_until_idle()
    kept = lab.rabbitmq.published("orders") - lab.rabbitmq.acked("orders")
    assert not kept, (
        f"{len(kept)} of {len(ORDERS)} orders were never acknowledged, although nothing came any "
        f"more: {kept[0]} to {kept[-1]}. {len(lab.recorded('shipped'))} had been shipped; the next "
        "worker will ship again whatever this one has not acknowledged."
    )


def test_nothing_is_acknowledged_before_it_is_shipped(lab):
    lab.crash_everywhere("worker", a_worker_dies_within_a_batch)


def a_worker_dies_within_a_batch(lab):
    lab.rabbitmq.publish("orders", ORDERS[:12])
    worker = lab.start("worker")
    lab.run_until_idle()
    killed = not worker.alive and worker.exception is None
    settled = lab.rabbitmq.acked("orders") if killed else lab.rabbitmq.published("orders")
    early = settled - lab.recorded("shipped")
    assert not early, (
        f"{early[0]} was never shipped: {lab.rabbitmq.fate('orders', early[0]) or 'it is gone'}"
        + (
            "\nThe worker died before it had shipped it, and no other worker will ever see it."
            if killed
            else "\nNothing went wrong, and yet it was left out."
        )
    )
