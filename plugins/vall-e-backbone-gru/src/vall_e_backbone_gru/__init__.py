"""GRU backbone for VALL-E."""
