"""The codec included in VALL-E: fixed analysis, k-means RVQ, ConvNeXt vocoder."""
