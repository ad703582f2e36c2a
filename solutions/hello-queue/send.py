"""Put orders into the queue `orders`, where the warehouse finds them."""

import time

import pika


def send(order: str) -> None:
    """Put one order into the queue `orders` of the RabbitMQ at localhost."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    try:
        channel = connection.channel()
        channel.queue_declare("orders")
        channel.basic_publish(exchange="", routing_key="orders", body=order.encode())
    finally:
        connection.close()


def web_shop(orders: list[str], pause_s: float) -> None:
    """A day in the web shop: an order, a pause, an order ... (Given; leave it as it is.)"""
    for order in orders:
        send(order)
        time.sleep(pause_s)


if __name__ == "__main__":
    web_shop(["order-1", "order-2", "order-3"], pause_s=0.5)
    print("three orders sent")
