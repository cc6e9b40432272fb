package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQuantile(t *testing.T) {
	samples := []float64{4, 1, 3, 2}
	for _, c := range []struct{ q, want float64 }{{0, 1}, {0.5, 2.5}, {1, 4}, {1.0 / 3, 2}, {-1, 1}, {2, 4}, {0.95, 3.85}} {
		if got := Quantile(samples, c.q); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("quantile %g is %g, want %g", c.q, got, c.want)
		}
	}
	if !slices.Equal(samples, []float64{4, 1, 3, 2}) {
		t.Error("the samples were changed")
	}
	if !math.IsNaN(Quantile(nil, 0.5)) {
		t.Error("there is a quantile of nothing")
	}
}

// TestMedian: the ranks are those of the sign test's tables.
func TestMedian(t *testing.T) {
	for _, c := range []struct {
		n          int
		low, high  float64
		confidence float64
	}{
		{1, 1, 1, 0}, {2, 1, 2, 0.5}, {3, 1, 3, 0.75}, {5, 1, 5, 0.9375}, {6, 1, 6, 0.96875}, {9, 2, 8, 0.9609}, {20, 6, 15, 0.9586},
	} {
		var samples []float64
		for i := range c.n {
			samples = append(samples, float64(c.n-i))
		}
		got := Median(samples)
		if got.Low != c.low || got.High != c.high || math.Abs(got.Confidence-c.confidence) > 1e-4 || got.N != c.n {
			t.Errorf("%d samples: %+v, want %g to %g with %g", c.n, got, c.low, c.high, c.confidence)
		}
	}
	if Median(nil) != (Interval{}) {
		t.Error("there is a median of nothing")
	}
}

// TestCovers: of many medians of skewed samples, as many intervals hold the true one as they say, or more.
func TestCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{6, 15, 100, 1500} {
		const rounds = 2000
		held, sure := 0, 0.0
		for range rounds {
			samples := make([]float64, n)
			for i := range samples {
				samples[i] = rng.ExpFloat64()
			}
			m := Median(samples)
			if m.Low <= math.Ln2 && math.Ln2 <= m.High {
				held++
			}
			sure = m.Confidence
		}
		if share := float64(held) / rounds; share < sure-0.02 {
			t.Errorf("%d samples: %.3f of the intervals hold the median, they say %.3f", n, share, sure)
		}
	}
}
