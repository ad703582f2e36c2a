# caught-by: test_the_products_behind_a_sold_out_one_are_rendered_too, test_the_worker_is_still_there_for_the_next_product, test_an_error_of_another_kind_ends_the_worker
# hint: With auto_ack every delivery counts as acknowledged already, so `render` is now the one
# who does it twice. And what becomes of the products that were on their way?
"""auto_ack, so that nobody needs to acknowledge; `render` does all the same."""

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
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("products", on_message_callback=on_product, auto_ack=True)
    channel.start_consuming()
