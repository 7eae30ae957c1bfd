"""Why it is slower: sampled stacks, their difference, exact counts, suspects, findings."""
