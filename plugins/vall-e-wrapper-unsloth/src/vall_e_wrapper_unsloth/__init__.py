"""Layers whose activations wait in the memory of the CPU."""
