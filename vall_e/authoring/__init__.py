"""What a plugin's author gets from us: a complete plugin to start from."""
