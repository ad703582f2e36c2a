# caught-by: test_the_warehouse_may_have_declared_the_queue_before
# hint: Whoever declares a queue second has to agree with whoever declared it first. How does the
# warehouse declare `orders`?

import time

import pika


def send(order: str) -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare(queue="orders", durable=True)
    channel.basic_publish(exchange="", routing_key="orders", body=order.encode())
    connection.close()


def web_shop(orders: list[str], pause_s: float) -> None:
    """A day in the web shop: an order, a pause, an order ... (Given; leave it as it is.)"""
    for order in orders:
        send(order)
        time.sleep(pause_s)


if __name__ == "__main__":
    web_shop(["order-1", "order-2", "order-3"], pause_s=0.5)
    print("three orders sent")
