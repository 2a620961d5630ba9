"""What may be wrong with an installation, each with its remedy: `genesys-workers doctor`."""
