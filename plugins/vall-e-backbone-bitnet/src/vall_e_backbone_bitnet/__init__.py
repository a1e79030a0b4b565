"""BitNet backbone for VALL-E."""
