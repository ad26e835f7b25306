"""Panels and glue of the Slicer module: between the MRML scene and `BrainTumorSegLib.api`."""
