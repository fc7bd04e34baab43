"""`jaxgpt plan`: what a training step would need on devices that are not there, found by compiling it."""
