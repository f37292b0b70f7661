"""The demonstration: 336,776 flights scored twice on a real cluster, and every figure checked from the files."""
