"""bisector beside the tools that are used instead of it, on real regressions of public projects."""
