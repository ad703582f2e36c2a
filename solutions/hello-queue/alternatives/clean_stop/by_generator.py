"""`consume` with a time-out lets the loop look, once a second, whether it should end."""

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
    told: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, frame: told.append(signum))

    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    print(" [*] Waiting for orders. To exit press CTRL+C")
    for method, _properties, body in channel.consume("orders", inactivity_timeout=1):
        if told:
            break
        if method is not None:
            send_email(body.decode())
            channel.basic_ack(method.delivery_tag)
    channel.cancel()  # gives back what had come and was not begun
    connection.close()


if __name__ == "__main__":
    main()
