pub fn total(n: u64) -> u64 { (0..n).map(|i| i ^ 3).sum() }
