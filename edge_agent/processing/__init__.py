"""Pure functions on arrays and text: no I/O, no device, no MQTT, no configuration."""
