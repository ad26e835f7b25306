"""How well two masks agree: overlap, surface distances and the table of all metrics; NumPy and SciPy only."""
