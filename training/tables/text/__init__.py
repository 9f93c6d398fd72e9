"""Text: bytes of any encoding, packing and layout as lines, records and frames of cells."""
