"""Mamba backbones for VALL-E."""
