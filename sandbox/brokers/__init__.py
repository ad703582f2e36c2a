"""Brokers that speak real wire protocols without doing any input or output."""
