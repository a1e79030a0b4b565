"""DAC codec for VALL-E."""
