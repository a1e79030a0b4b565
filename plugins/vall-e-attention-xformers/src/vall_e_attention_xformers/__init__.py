"""xFormers attention for VALL-E."""
