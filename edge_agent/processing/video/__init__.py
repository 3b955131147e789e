"""What happens in front of a camera, and how the camera itself is: background, regions, tracks, zones, health."""
