"""What workers count, and how Prometheus reads it.

A worker shows what it has counted itself (`counts`, over forked processes by `forks`); a bridge,
the calls that it has made, by the same names. What is one for the whole cluster, such as a queue's
length, is read from Redis (`cluster`) and shown by the command `metrics` alone: ten workers would
tell it ten times, and none where none is alive.
"""
