"""Layers whose activations are kept in CPU memory."""
