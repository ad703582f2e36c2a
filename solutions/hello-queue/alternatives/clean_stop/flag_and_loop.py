"""A flag, and a loop that looks at it once a second.

The callback looks at it too: pika may hold messages that came together with the one in hand. Left
unacknowledged, they go back into the queue when the connection closes.
"""

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
    """Confirm orders until somebody presses Ctrl-C or the machine shuts down."""
    stopping = False

    def stop(signum, frame):
        nonlocal stopping
        stopping = True

    def on_order(channel, method, properties, body):
        if stopping:
            return
        send_email(body.decode())
        channel.basic_ack(method.delivery_tag)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    with pika.BlockingConnection(pika.ConnectionParameters("localhost")) as connection:
        channel = connection.channel()
        channel.queue_declare("orders")
        channel.basic_consume("orders", on_order)
        print(" [*] Waiting for orders. To exit press CTRL+C")
        while not stopping:
            connection.process_data_events(time_limit=1)


if __name__ == "__main__":
    main()
