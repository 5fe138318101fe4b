"""What `ci/gpu/bundle` and `ci/gpu/run` are made of; docs/gpu.md describes both."""
