# caught-by: test_orders_wait_in_the_order_they_were_sent_and_letter_for_letter, test_the_warehouse_may_have_declared_the_queue_before, test_the_first_order_after_a_quiet_hour_arrives
# hint: What is in the queue when the second order is sent, and who has not seen it yet?

import time

import pika


def send(order: str) -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_delete(queue="orders")  # begin with a clean queue
    channel.queue_declare(queue="orders")
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
