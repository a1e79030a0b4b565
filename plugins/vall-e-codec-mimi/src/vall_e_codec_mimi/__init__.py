"""Mimi codec for VALL-E."""
