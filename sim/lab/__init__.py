"""The laboratory: a scenario for real, in network namespaces, beside its prediction."""
