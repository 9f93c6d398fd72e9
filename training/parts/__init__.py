"""Parts: whole customers, worked on one after the other so that memory does not grow with the shop."""
