"""Files in and out: volumes (NIfTI, NRRD, MetaImage), pictures as slices, and writing that leaves nothing half-done."""
