use criterion::{black_box, criterion_group, criterion_main, BenchmarkId, Criterion};

fn sums(c: &mut Criterion) {
    c.bench_function("total", |b| b.iter(|| sums::total(black_box(1000))));
    let mut group = c.benchmark_group("sizes");
    for n in [100u64, 1000] {
        group.bench_with_input(BenchmarkId::new("total", n), &n, |b, &n| b.iter(|| sums::total(black_box(n))));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(std::time::Duration::from_millis(100)).measurement_time(std::time::Duration::from_millis(300));
    targets = sums
}
criterion_main!(benches);
