"""The live stack: an exercise as real processes against a real RabbitMQ.

    settings    where the broker and its management plugin are (AMQP_URL, RABBITMQ_MANAGEMENT_URL)
    management  the management plugin's HTTP interface, as far as the stack needs it
    vhost       a virtual host for one run, removed again whatever happens

    child       what runs inside an exercise's process: redirects localhost:5672, `record`, sleeps
    process     the same process seen from outside: output, exit, kill
    control     the messages between the two, one JSON object a line

    frames      cuts a byte stream into AMQP frames and says what each one is
    rewrite     the few fields that must differ: virtual host, user, texts that name them
    proxy       carries each process's connections to the broker, frame by frame
    ledger      what was delivered and settled, told from the frames that went by
    firehose    what was published and where it was routed, told by the broker itself
    idle        whether every process waits and nothing moves any more

    observer    `lab.rabbitmq` on a real broker
    crash       where a process can be killed, and which of those moments are worth the time
    stack       puts the parts together as `sandbox.stack.base.Stack`

Learners' files are unchanged: they connect to localhost:5672, virtual host "/". Inside their
process that address leads to a proxy of the run's own, which leads to the run's virtual host.
"""
