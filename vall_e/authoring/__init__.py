"""Support for plugin authors: a complete plugin to start from."""
