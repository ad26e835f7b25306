"""Many cases: the queue that an annotator works through, and where corrected masks are kept."""
