from redis_celery_tasks import app

app.Worker(pool="threads", concurrency=2, loglevel="INFO").start()
