"""Text normalization by the grammars of NeMo."""
