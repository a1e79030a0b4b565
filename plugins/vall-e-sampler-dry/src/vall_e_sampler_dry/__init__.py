"""DRY sampler for VALL-E."""
