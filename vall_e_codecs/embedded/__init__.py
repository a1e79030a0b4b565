"""The codec that VALL-E carries with it: fixed analysis, k-means RVQ, ConvNeXt vocoder."""
