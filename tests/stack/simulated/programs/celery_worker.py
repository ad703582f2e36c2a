from celery_tasks import app

app.worker_main(["worker", "--pool", "solo", "--loglevel", "INFO"])
