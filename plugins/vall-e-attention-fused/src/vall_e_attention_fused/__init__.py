"""Fused attention for VALL-E."""
