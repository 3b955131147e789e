"""Configuration: TOML in, typed settings or precise mistakes out."""
