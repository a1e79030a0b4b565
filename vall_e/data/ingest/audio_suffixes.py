"""By which suffixes a folder's audio files are known. Torch-free."""

AUDIO = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".m4a", ".w64", ".caf")
