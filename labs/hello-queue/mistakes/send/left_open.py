# caught-by: test_the_shop_never_has_more_than_one_connection_open
# hint: `send` ends, and the program does not. What happens to the connection that it opened?

import time

import pika


def send(order: str) -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare(queue="orders")
    channel.basic_publish(exchange="", routing_key="orders", body=order.encode())
    channel.close()


def web_shop(orders: list[str], pause_s: float) -> None:
    """A day in the web shop: an order, a pause, an order ... (Given; leave it as it is.)"""
    for order in orders:
        send(order)
        time.sleep(pause_s)


if __name__ == "__main__":
    web_shop(["order-1", "order-2", "order-3"], pause_s=0.5)
    print("three orders sent")
