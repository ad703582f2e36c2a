"""The live stack: an exercise as real processes against real brokers.

    settings    where the broker and its management plugin are (AMQP_URL, RABBITMQ_MANAGEMENT_URL)
    management  the management plugin's HTTP interface, as far as the stack needs it
    vhost       a virtual host for one run, removed again whatever happens

    child       what runs inside an exercise's process: redirected ports, `record`, sleeps
    redirect    localhost:5672 and the others, in that process
    process     the same process seen from outside: output, exit, kill
    control     the messages between the two, one JSON object a line

    frames      cuts a byte stream into AMQP frames and says what each one is
    taps        cuts the bytes of Kafka, Redis and MQTT into requests and says what each one is
    rewrite     the few fields that must differ: virtual host, user, texts that name them
    proxy       carries each process's connections to the broker, frame by frame
    tapped      carries each process's connections to the other brokers, request by request
    ledger      what was delivered and settled, told from the frames that went by
    firehose    what was published and where it was routed, told by the broker itself
    idle        whether every process waits and nothing moves any more

    places      the Kafka, Redis and MQTT server of one run: our own, or somebody else's
    observer    `lab.rabbitmq` on a real broker
    kafka, redis, mqtt    `lab.kafka`, `lab.redis` and `lab.mqtt` on real brokers
    crash       where a process can be killed, and which of those moments are worth the time
    stack       puts the parts together as `sandbox.stack.base.Stack`

Learners' files are unchanged: they connect to localhost:5672, virtual host "/". Inside their
process that address leads to a proxy of the run's own, which leads to the run's virtual host;
localhost:9092, 6379 and 1883 lead to the run's other servers.
"""
