from celery import Celery

app = Celery(
    "shop",
    broker="amqp://guest:guest@localhost:5672//",
    backend="redis://localhost:6379/0",
)
app.conf.broker_connection_retry_on_startup = True


@app.task
def add(x, y):
    return x + y


@app.task(bind=True, acks_late=True, max_retries=3)
def flaky(self, number):
    if self.request.retries < 2:
        raise self.retry(countdown=5)
    return [number, self.request.retries]
