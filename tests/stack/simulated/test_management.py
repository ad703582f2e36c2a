"""RabbitMQ's HTTP API in a world, for programs that ask it as they would ask a real one."""

from pathlib import Path

import pytest

from sandbox.stack.simulated import SimulatedStack

PROGRAM = """
import base64, json, urllib.request
import pika

def api(method, path, body=None, host="{host}"):
    request = urllib.request.Request(
        f"http://{{host}}:15672/api{{path}}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={{"Authorization": "Basic " + base64.b64encode(b"guest:guest").decode()}},
    )
    return json.loads(urllib.request.urlopen(request).read() or b"null")

channel = pika.BlockingConnection(pika.ConnectionParameters("localhost")).channel()
channel.queue_declare("orders")
arrived = []
channel.basic_consume("orders", lambda *delivery: arrived.append(delivery[3]), auto_ack=True)
order = {{"routing_key": "orders", "payload": "order-1", "payload_encoding": "string"}}
print(api("POST", "/exchanges/%2F/amq.default/publish", order | {{"properties": {{}}}}))
channel.connection.process_data_events(time_limit=1)
print(arrived, [queue["name"] for queue in api("GET", "/queues")])
"""


@pytest.mark.parametrize("host", ["localhost", "rabbitmq"])
@pytest.mark.parametrize("late", [False, True], ids=["there", "made when asked"])
def test_a_program_publishes_and_looks_through_http(host: str, late: bool):
    names = ("rabbitmq",)
    stack = SimulatedStack(seed=1, brokers=() if late else names, late=names if late else ())
    program = stack.world.start_script(Path("shop.py"), source=PROGRAM.format(host=host))
    stack.world.run(real_s=30)
    assert program.output == "{'routed': True}\n[b'order-1'] ['orders']\n"
    stack.close()
