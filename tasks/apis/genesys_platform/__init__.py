"""Genesys Cloud by its published Platform API (the `platform` contract)."""
