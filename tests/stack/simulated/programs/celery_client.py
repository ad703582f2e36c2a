import time

from celery import chain, group
from celery_tasks import add, flaky

result = add.delay(4, 4)
print(result.status, result.get(timeout=10), result.status)
print(flaky.delay(7).get(timeout=60))
began = time.time()
print(add.apply_async((1, 2), countdown=30).get(timeout=60), round(time.time() - began))
print(chain(add.s(1, 2), add.s(10)).apply_async().get(timeout=10))
print(group(add.s(number, number) for number in range(4)).apply_async().get(timeout=10))
