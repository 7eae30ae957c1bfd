//! Counts the words of a text with the crate it is an example of; the best of 30 rounds, in seconds.
use std::hint::black_box;
use std::time::Instant;

// All code is moved by what the build is told: where it begins decides on its speed, too.
std::arch::global_asm!(
    ".section .text.unlikely.layout,\"axR\",@progbits",
    concat!(".rept ", env!("BISECTOR_LAYOUT"), " % 4096"),
    "nop",
    ".endr",
    ".text",
);

fn main() {
    let text = "The quick brown fox jumps over the lazy dog; twice! ".repeat(20_000);
    let mut best = f64::INFINITY;
    for _ in 0..30 {
        let began = Instant::now();
        assert_eq!(tinytext::count(black_box(&text)), 200_000);
        best = best.min(began.elapsed().as_secs_f64());
    }
    println!("{best:.9}");
}
