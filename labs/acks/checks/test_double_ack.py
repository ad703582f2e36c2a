"""What must be true of the page worker: it gets through the day, and hides no real error."""

DAY = ["hat", "boots (sold out)", "scarf", "gloves (sold out)", "socks"]


def test_the_products_behind_a_sold_out_one_are_rendered_too(lab):
    lab.rabbitmq.publish("products", DAY)
    lab.start("worker")
    lab.run_until_idle()
    missing = lab.rabbitmq.published("products") - lab.recorded("rendered")
    assert not missing, (
        f"The page of {missing[0]} was never rendered: "
        f"{lab.rabbitmq.fate('products', missing[0]) or 'the worker never came to it'}"
    )


def test_the_worker_is_still_there_for_the_next_product(lab):
    lab.rabbitmq.publish("products", ["boots (sold out)"])
    worker = lab.start("worker")
    lab.run_until_idle()
    assert worker.alive, (
        "One product was sold out, and then the worker ended. Who renders the next page?"
    )
    lab.rabbitmq.publish("products", ["scarf"])
    lab.run_until_idle()
    became = lab.rabbitmq.fate("products", "scarf")
    assert "scarf" in lab.recorded("rendered"), (
        "The scarf came after the boots, which were sold out. The worker still runs, but the page "
        f"of the scarf was never rendered: {became or 'it waits in the queue'}"
    )


def test_every_rendered_product_leaves_the_queue(lab):
    lab.rabbitmq.publish("products", ["hat", "scarf"])
    lab.start("worker")
    lab.run_until_idle()
    settled = lab.rabbitmq.acked("products")
    kept = [product for product in lab.recorded("rendered") if product not in settled]
    assert not kept, (
        f"The page of {kept[0]} was rendered, and RabbitMQ still keeps the message: "
        f"{lab.rabbitmq.fate('products', kept[0]) or 'nobody acknowledged it'}. "
        "The next worker will do it all again."
    )


def test_an_error_of_another_kind_ends_the_worker(lab):
    lab.rabbitmq.publish("products", ["umbrella (no price)"])
    worker = lab.start("worker")
    lab.wait_until(lambda: bool(lab.rabbitmq.delivered("products")))
    ended = lab.wait_until(lambda: not worker.alive, timeout_s=1)
    times = len(lab.rabbitmq.delivered("products"))
    assert ended, (
        "`render` raised ValueError for the umbrella, which has no price, and a second later the "
        f"worker was still running: RabbitMQ had handed it the umbrella {times} times. An error "
        "that nobody sees is an error that nobody repairs."
    )
    assert "umbrella (no price)" not in lab.rabbitmq.acked("products"), (
        "The umbrella has no price, its page was not rendered, and the message is gone: "
        f"{lab.rabbitmq.fate('products', 'umbrella (no price)') or 'it was acknowledged'}"
    )
