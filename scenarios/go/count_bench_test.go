package tinytext

import (
	"strings"
	"testing"
)

var text = strings.Repeat("The quick brown fox jumps over the lazy dog; twice! ", 4000)

func BenchmarkCount(b *testing.B) {
	for i := 0; i < b.N; i++ {
		if Count(text) != 40000 {
			b.Fatal("that is not the number of words")
		}
	}
}
