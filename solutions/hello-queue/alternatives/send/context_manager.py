"""`with` closes the connection, however the block is left."""

import time

import pika

PARAMETERS = pika.ConnectionParameters("localhost")


def send(order: str) -> None:
    """Put one order into the queue `orders` of the RabbitMQ at localhost."""
    with pika.BlockingConnection(PARAMETERS) as connection:
        channel = connection.channel()
        channel.queue_declare("orders")
        channel.basic_publish("", "orders", order)  # pika encodes text as UTF-8


def web_shop(orders: list[str], pause_s: float) -> None:
    """A day in the web shop: an order, a pause, an order ... (Given; leave it as it is.)"""
    for order in orders:
        send(order)
        time.sleep(pause_s)


if __name__ == "__main__":
    web_shop(["order-1", "order-2", "order-3"], pause_s=0.5)
    print("three orders sent")
