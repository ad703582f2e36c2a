import threading
import time

import redis

r = redis.Redis(decode_responses=True)


def listen():
    with redis.Redis(decode_responses=True).pubsub() as channel:
        channel.subscribe("news")
        for message in channel.listen():
            print("heard", message["type"], message["data"])
            if message["data"] == "stop":
                return


def push_later():
    time.sleep(2)
    redis.Redis().rpush("jobs", "job-1")


listener = threading.Thread(target=listen)
listener.start()
time.sleep(1)
r.publish("news", "hello")
r.publish("news", "stop")
listener.join()

ids = [r.xadd("orders", {"number": number}) for number in range(5)]
r.xgroup_create("orders", "workers", "0")
one = r.xreadgroup("workers", "one", {"orders": ">"}, count=3)
two = r.xreadgroup("workers", "two", {"orders": ">"}, count=3, block=1000)
print([fields["number"] for _, entries in one + two for _, fields in entries])
r.xack("orders", "workers", ids[0])
time.sleep(5)
_, claimed, _ = r.xautoclaim("orders", "workers", "three", 3000)
print([fields["number"] for _, fields in claimed])

with r.pipeline() as pipe:
    print(pipe.set("counter", 1).incr("counter").execute())
with r.lock("lock", timeout=10):
    print("locked")
threading.Thread(target=push_later).start()
began = time.monotonic()
print(r.blpop("jobs", timeout=4), round(time.monotonic() - began))
