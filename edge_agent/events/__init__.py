"""What is published: the envelope, one module of data models per family, and the schemas made from them."""
