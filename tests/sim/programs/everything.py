"""A world in which much happens; prints a fingerprint of its whole trace.

Run by several interpreters, which must print the same: others with another PYTHONHASHSEED
and Pyodide. pika, threads, asyncio, chance, time, dates, logging, faults; with `--pools` also what
the standard library does in other steps from one Python version to the next (thread pools,
`wait_for`, a server's end), so that traces of two versions differ by microseconds.
"""

import hashlib
import json
import sys
from pathlib import Path

from sandbox.stack.simulated import SimulatedStack

WORKER = """
import logging, random, sys, threading, time
import pika
from sandbox import record

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(threadName)s %(message)s")
logging.getLogger("pika").setLevel(logging.WARNING)
connection = pika.BlockingConnection(pika.ConnectionParameters("localhost", heartbeat=10))
channel = connection.channel()
channel.queue_declare("work", durable=True)
channel.basic_qos(prefetch_count=3)
lock = threading.Lock()

def work(delivery_tag, body):
    time.sleep(random.random())
    with lock:
        record("done", body.decode())
    logging.info("done %s", body)
    connection.add_callback_threadsafe(lambda: channel.basic_ack(delivery_tag))

def on_message(channel, method, properties, body):
    threading.Thread(target=work, args=(method.delivery_tag, body)).start()

channel.basic_consume("work", on_message)
try:
    channel.start_consuming()
except pika.exceptions.AMQPError as error:
    print(type(error).__name__, error)
"""

SENDER = """
import datetime, random, time, uuid
import pika

def send(count):
    with pika.BlockingConnection(pika.ConnectionParameters("rabbitmq")) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("work", durable=True)
        for n in range(count):
            properties = pika.BasicProperties(
                message_id=str(uuid.uuid4()),
                timestamp=int(time.time()),
                headers={"n": n, "who": {"a": 1, "b": [True, None, -5]}},
                delivery_mode=2,
            )
            channel.basic_publish("", "work", b"job %d" % n, properties, mandatory=True)
            time.sleep(random.expovariate(5))

send(30)
print(datetime.datetime.now(), uuid.uuid1(), {f"word-{n}": n for n in range(5)})
"""

CHAT = """
import asyncio, random

async def serve(reader, writer):
    while line := await reader.readline():
        await asyncio.sleep(random.random() / 10)
        writer.write(line[::-1])
    writer.close()

async def talk(n):
    reader, writer = await asyncio.open_connection("127.0.0.1", 7777)
    for word in range(3):
        writer.write(b"%d-%d\\n" % (n, word))
        await writer.drain()
        async with asyncio.timeout(5):
            await reader.readexactly(4)
    writer.close()
    return n

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 7777)
    for each in asyncio.as_completed([talk(n) for n in range(5)]):
        print(await each)
    done, _ = await asyncio.wait([asyncio.create_task(talk(n)) for n in range(5)])
    print([task.get_name() for task in done])
    server.close()
    try:
        async with asyncio.TaskGroup() as group:
            for n in range(5):
                group.create_task(leave(n))
            group.create_task(fail())
    except* ValueError as failed:
        print(failed.exceptions)

async def leave(n):
    try:
        await asyncio.sleep(100)
    finally:
        print("left", n)

async def fail():
    await asyncio.sleep(1)
    raise ValueError("as planned")

asyncio.run(main())
"""

POOLS = """
import asyncio, time
from concurrent.futures import ThreadPoolExecutor, as_completed

def work(n):
    time.sleep(n % 3)
    return n

async def main():
    print(await asyncio.gather(*(asyncio.to_thread(work, n) for n in range(10))))
    reader, writer = await asyncio.wait_for(asyncio.open_connection("localhost", 5672), 5)
    writer.close()
    try:
        await asyncio.wait_for(asyncio.sleep(10), 1)
    except TimeoutError:
        print("too late")

asyncio.run(main())
with ThreadPoolExecutor() as pool:
    futures = [pool.submit(work, n) for n in range(20)]
    time.sleep(5)
    print([future.result() for future in as_completed(futures)])
"""


def run(seed: int, *, pools: bool) -> SimulatedStack:
    """Let it all happen."""
    sources = {"worker.py": WORKER, "sender.py": SENDER, "chat.py": CHAT}
    if pools:
        sources["pools.py"] = POOLS
    stack = SimulatedStack(seed=seed, brokers=["rabbitmq"])
    world = stack.world
    programs = {
        name: world.start_script(Path(name), source=source) for name, source in sources.items()
    }
    faults = world.faults
    faults.at(1.5, lambda: faults.slow("worker.py", "rabbitmq", latency_s=0.05))
    faults.at(3, lambda: faults.partition("sender.py", "rabbitmq"))
    faults.at(5, lambda: faults.heal("sender.py", "rabbitmq"))
    faults.at(60, programs["worker.py"].kill)
    faults.at(61, lambda: world.start_script(Path("second.py"), source=WORKER))
    faults.at(90, lambda: faults.restart_service("rabbitmq"))
    world.run()
    for process in world.processes:
        if process.error is not None:
            print(process.name, process.reports, file=sys.stderr)
    return stack


if __name__ == "__main__":
    stack = run(11, pools="--pools" in sys.argv)
    lines = list(stack.world.trace.lines())
    if "--trace" in sys.argv:
        print("\n".join(lines))
    else:
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        done = len(stack.world.recorded("done"))
        print(json.dumps({"sha256": digest, "events": len(lines) - 1, "done": done}))
