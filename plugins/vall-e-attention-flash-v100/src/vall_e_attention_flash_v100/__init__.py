"""Flash attention on Volta for VALL-E."""
