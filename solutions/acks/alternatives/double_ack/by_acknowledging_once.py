"""Let nobody acknowledge twice: `render` gets a channel that remembers."""

import time

import pika

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


class OnceOnly:
    """A channel that passes on the first acknowledgement of every delivery, and no second one."""

    def __init__(self, channel):
        self._channel = channel
        self._tag = None

    def begin(self, tag):
        """A new delivery is in hand."""
        self._tag = tag

    def basic_ack(self, delivery_tag=0, multiple=False):
        if delivery_tag == self._tag:
            self._tag = None
            self._channel.basic_ack(delivery_tag, multiple)

    def __getattr__(self, name):
        return getattr(self._channel, name)


def worker():
    """Render the pages of products from the queue, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("products")
    once = OnceOnly(channel)

    def on_product(_, method, properties, body):
        once.begin(method.delivery_tag)
        render(once, method, body)
        once.basic_ack(method.delivery_tag)

    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("products", on_message_callback=on_product)
    channel.start_consuming()
