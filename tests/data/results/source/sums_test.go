package sums

import "testing"

var kept []int

func BenchmarkAppend(b *testing.B) {
	for i := 0; i < b.N; i++ {
		kept = append([]int{}, make([]int, 100)...)
	}
}

func BenchmarkCopy(b *testing.B) {
	from, to := make([]byte, 1024), make([]byte, 1024)
	b.SetBytes(1024)
	for _, name := range []string{"whole", "half=512"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(1024)
			for i := 0; i < b.N; i++ {
				copy(to, from)
			}
			b.ReportMetric(7, "hits/op")
		})
	}
}
