"""Throw the whole connection away and begin again."""

import time

import pika
from pika.exceptions import ChannelClosedByBroker

from sandbox import record


def render(channel, method, body):
    """Make a product's page anew; doing that twice does no harm.

    What nobody told you: when a product is sold out, this acknowledges the delivery itself.

    Raises ValueError: the product has no price.
    """
    product = body.decode()
    if "no price" in product:
        raise ValueError(f"{product}: what should the page say?")
    time.sleep(0.1)
    record("rendered", product)
    print("rendered", product)
    if "sold out" in product:
        channel.basic_ack(method.delivery_tag)


def on_product(channel, method, properties, body):
    """Called by pika for every product that changed."""
    render(channel, method, body)
    channel.basic_ack(method.delivery_tag)


def consume_until_closed():
    with pika.BlockingConnection(pika.ConnectionParameters("localhost")) as connection:
        channel = connection.channel()
        channel.queue_declare("products")
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume("products", on_message_callback=on_product)
        channel.start_consuming()


def worker():
    """Render the pages of products from the queue, for ever."""
    while True:
        try:
            consume_until_closed()
        except ChannelClosedByBroker as closed:
            if "unknown delivery tag" not in closed.reply_text:
                raise
