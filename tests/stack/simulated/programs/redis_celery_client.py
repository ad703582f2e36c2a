import time

from redis_celery_tasks import add

print([add.delay(number, 1).get(timeout=20) for number in range(3)])
began = time.time()
print(add.apply_async((1, 2), countdown=30).get(timeout=60), round(time.time() - began))
