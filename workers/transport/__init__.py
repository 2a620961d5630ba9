"""How workers take messages: one script claims each, and a lease keeps it until it has ended.

Producers stay stock: they put messages on Kombu's Redis lists. `claims` calls the scripts, `leases`
holds what this process has claimed, `channel` is where Kombu's consumer meets both.
"""
