# caught-by: test_the_products_behind_a_sold_out_one_are_rendered_too, test_the_worker_is_still_there_for_the_next_product
# hint: One acknowledgement too many cost you the channel, and with it the consumer. The
# connection is still open: what would it take to go on from here?
"""As it was found: nobody expects the channel to close."""

import time

import pika

from sandbox import record, start


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


def worker():
    """Render the pages of products from the queue, for ever."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("products")
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("products", on_message_callback=on_product)
    channel.start_consuming()


if __name__ == "__main__":  # what Run does; the checks call worker() themselves
    connection = pika.BlockingConnection(pika.ConnectionParameters("localhost"))
    channel = connection.channel()
    channel.queue_declare("products")
    for product in ["hat", "boots (sold out)", "scarf", "gloves (sold out)", "socks"]:
        channel.basic_publish("", "products", product)

    start(worker)
    time.sleep(3)
    left = channel.queue_declare("products", passive=True).method.message_count
    print("left in the queue:", left)
    connection.close()
