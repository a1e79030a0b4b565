"""SageAttention for VALL-E."""
