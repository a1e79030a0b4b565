"""RetNet backbones for VALL-E."""
