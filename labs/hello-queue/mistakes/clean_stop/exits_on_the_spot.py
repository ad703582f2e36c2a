# caught-by: test_the_order_in_hand_is_finished, test_it_says_goodbye_to_rabbitmq
# hint: `sys.exit` ends the program wherever it happens to be. What was it doing, and what did it
# leave open?

import signal
import sys
import time

import pika

from sandbox import record


def send_email(order: str) -> None:
    """Write to the customer, which takes a second. (Given; leave it as it is.)"""
    record("begun", order)
    time.sleep(1)
    record("sent", order)
    print(f" [x] {order} is confirmed")


def stop(signum, frame):
    sys.exit(0)


def main() -> None:
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_qos(prefetch_count=1)

    def on_order(channel, method, properties, body):
        send_email(body.decode())
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("orders", on_order)
    print(" [*] Waiting for orders. To exit press CTRL+C")
    channel.start_consuming()


if __name__ == "__main__":
    main()
