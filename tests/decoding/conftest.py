from tiny_synthesizer import codec, registry, speaker, tiny, tone, weights  # noqa: F401
