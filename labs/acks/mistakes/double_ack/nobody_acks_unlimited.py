# caught-by: test_every_rendered_product_leaves_the_queue
# hint: `render` acknowledges what is sold out and nothing else. Who acknowledges the products
# that are not?
"""No second acknowledgement, and no prefetch limit to make that visible."""

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


def on_product(channel, method, properties, body):
    render(channel, method, body)


def worker():
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("products")
    channel.basic_consume("products", on_message_callback=on_product)
    channel.start_consuming()
