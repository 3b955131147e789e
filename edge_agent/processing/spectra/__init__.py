"""Spectra: from the files of spectrometers to what they are consistent with."""
