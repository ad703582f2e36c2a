# caught-by: test_orders_wait_in_the_order_they_were_sent_and_letter_for_letter
# hint: Both sides must turn text into bytes and back by the same rule. Which rule knows every
# letter there is?

import time

import pika


def send(order: str) -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare(queue="orders")
    body = order.encode("latin-1", "replace")
    channel.basic_publish(exchange="", routing_key="orders", body=body)
    connection.close()


def web_shop(orders: list[str], pause_s: float) -> None:
    """A day in the web shop: an order, a pause, an order ... (Given; leave it as it is.)"""
    for order in orders:
        send(order)
        time.sleep(pause_s)


if __name__ == "__main__":
    web_shop(["order-1", "order-2", "order-3"], pause_s=0.5)
    print("three orders sent")
