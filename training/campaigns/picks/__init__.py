"""Files of picks for other mail systems: csv, jsonl, parquet, html; written in parts, so that a kill costs one part."""
