"""Products: what the files of feeds and shop systems call our columns, and words for what is in stock."""
