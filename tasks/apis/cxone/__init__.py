"""NICE CXone by its published APIs: a customer's custom fields in Digital Engagement.

Paths, bodies and the two token requests are those of the vendor's documentation. What that leaves
open is marked [?] in `settings`.
"""
