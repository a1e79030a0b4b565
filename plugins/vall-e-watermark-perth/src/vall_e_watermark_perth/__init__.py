"""Resemble AI's Perth watermark as an audio effect of VALL-E."""
