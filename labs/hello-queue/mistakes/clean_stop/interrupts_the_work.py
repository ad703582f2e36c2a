# caught-by: test_the_order_in_hand_is_finished
# hint: Your handler raises, and an exception leaves whatever line is running. Which line runs for
# a whole second per order?

import signal
import time

import pika

from sandbox import record


def send_email(order: str) -> None:
    """Write to the customer, which takes a second. (Given; leave it as it is.)"""
    record("begun", order)
    time.sleep(1)
    record("sent", order)
    print(f" [x] {order} is confirmed")


def main() -> None:
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=1)

    def on_order(channel, method, properties, body):
        send_email(body.decode())
        channel.basic_ack(method.delivery_tag)

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    channel.basic_consume("orders", on_order)
    print(" [*] Waiting for orders. To exit press CTRL+C")
    try:
        channel.start_consuming()
    except KeyboardInterrupt:
        channel.stop_consuming()
    connection.close()


if __name__ == "__main__":
    main()
