"""`vall-e serve`: speech over HTTP, with OpenAI's interface. Needs the extra `serve`."""
