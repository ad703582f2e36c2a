"""`lab.rabbitmq`, `lab.kafka`, `lab.redis`, `lab.mqtt`: a broker as a check sees it, in text.

Each is a thin class on top of what the stack's observer tells (`sandbox.stack.observers`). Bodies,
keys and headers are text here, and lists of bodies are `Values`, which subtract as multisets.

Files:
    values      `Values`, and bytes as text
    rabbitmq, kafka, redis, mqtt
"""
