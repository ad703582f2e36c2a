# caught-by: test_the_first_order_after_a_quiet_hour_arrives
# hint: A connection lives only as long as both sides say so now and then. Who answers RabbitMQ's
# heartbeats while the shop sleeps?

import time

import pika


connection = None
channel = None


def send(order: str) -> None:
    global connection, channel
    if connection is None:
        connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
        channel = connection.channel()
        channel.queue_declare(queue="orders")
    channel.basic_publish(exchange="", routing_key="orders", body=order.encode())


def web_shop(orders: list[str], pause_s: float) -> None:
    """A day in the web shop: an order, a pause, an order ... (Given; leave it as it is.)"""
    for order in orders:
        send(order)
        time.sleep(pause_s)


if __name__ == "__main__":
    web_shop(["order-1", "order-2", "order-3"], pause_s=0.5)
    print("three orders sent")
