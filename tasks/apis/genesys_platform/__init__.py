"""Genesys Cloud by its published Platform API (the `platform` contract).

Paths, fields and permissions are those of the vendor's Swagger document. Modules are imported one
by one: who only needs the settings loads no HTTP.
"""
