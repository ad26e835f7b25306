"""Building blocks, one attention block per file."""
