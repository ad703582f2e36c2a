def test_every_order_is_shipped(lab):
    lab.rabbitmq.publish("orders", ["a", "b", "c"])
    lab.start("relay")
    lab.run_until_idle()
    lost = lab.rabbitmq.published("orders") - lab.recorded("shipped")
    assert not lost, f"{len(lost)} orders were never shipped: {sorted(lost)}"


def test_no_order_is_left_unacknowledged(lab):
    lab.rabbitmq.publish("orders", ["a", "b", "c"])
    lab.start("relay")
    lab.run_until_idle()
    left = lab.rabbitmq.unacked("orders")
    assert left == 0, f"{left} orders were delivered and never acknowledged. Who will?"
