"""The command line. One file or folder for each command; `app` finds them."""
