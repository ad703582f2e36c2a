"""Confirm every order by e-mail, and stop when asked to.

This program comes from a blog post, where it has 214 likes. It has three faults, and you meet them
one after the other: repair one, press Check, read what it says, go on to the next.
"""

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
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("orders")
    channel.basic_consume("orders", on_order)
    print(" [*] Waiting for orders. To exit press CTRL+C")
    channel.start_consuming()

    def on_order(channel, method, properties, body):
        send_email(body.decode())


if __name__ == "__main__":
    main()
