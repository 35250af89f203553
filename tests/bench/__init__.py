"""The benchmarks: `make bench`. Every figure is a ratio of one run, or a promise kept or not."""
