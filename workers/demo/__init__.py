"""The demonstration: the whole system on this machine, and the proof that nothing was lost.

`plan` says what is sent and what has to come of it, `stage` prepares the sandbox, `senders` send,
`watch` waits and `progress` shows, `verdict` compares, `figures` counts, and `run` puts them in
order.
"""

from __future__ import annotations
