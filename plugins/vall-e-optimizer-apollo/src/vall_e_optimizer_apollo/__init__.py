"""APOLLO optimizers for VALL-E."""
