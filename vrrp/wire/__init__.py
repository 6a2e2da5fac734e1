"""Wire formats: bytes to meaning and back. One file per format, each with parse, build and describe."""
