"""Colour tests photographed on a reference card: card, light, colour, and what the colour is consistent with."""
