# caught-by: test_an_order_waits_until_somebody_asks_for_it, test_orders_wait_in_the_order_they_were_sent_and_letter_for_letter, test_the_first_order_after_a_quiet_hour_arrives
# hint: Publishing names an exchange and a routing key; it never makes a queue. Who can promise
# that the queue is there before the very first order?

import time

import pika


def send(order: str) -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
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
