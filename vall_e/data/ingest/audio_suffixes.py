"""The suffixes of audio files. Torch-free."""

AUDIO = (
    *(".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".m4a", ".w64", ".caf"),
    *(".aac", ".webm", ".mp4"),
)
