"""Cognigy.AI by its published API: contact profiles.

What the vendor's documentation leaves open is marked [?] in `settings`.
"""
