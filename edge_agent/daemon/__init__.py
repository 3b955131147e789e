"""The running agent: supervisor, workers, journal, publisher."""
