// Package stats makes figures of samples: quantiles, medians with their intervals. Everything is a plain function of its
// samples; nothing is left out as an outlier.
package stats

import (
	"math"
	"slices"
)

// Quantile returns the value below which a share q (0 to 1) of the samples lies, between two samples in proportion (Hyndman and Fan,
// type 7); NaN for none. The samples need not be sorted and are not changed.
func Quantile(samples []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	return quantile(sorted, q)
}

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := min(max(q, 0), 1) * float64(len(sorted)-1)
	low := int(at)
	if low+1 == len(sorted) {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// Interval is a median, and between which values the true one lies with a probability of at least 95 %; where there are
// too few samples for that, the least and the greatest, and Confidence says how much that is worth.
type Interval struct {
	Median     float64 `json:"median"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
	N          int     `json:"n"`
}

// confidence is what an Interval aims at.
const confidence = 0.95

// Median returns the median of independent samples and its interval from order statistics, which holds whatever their distribution:
// the median lies between the k-th smallest and the k-th greatest unless fewer than k of n tosses of a coin fall on one side. All
// fields are 0 for no samples.
func Median(samples []float64) Interval {
	n := len(samples)
	if n == 0 {
		return Interval{}
	}
	sorted := slices.Sorted(slices.Values(samples))
	k, sure := 1, covered(n, 1)
	for 2*(k+1) <= n+1 && covered(n, k+1) >= confidence {
		k++
		sure = covered(n, k)
	}
	return Interval{Median: quantile(sorted, 0.5), Low: sorted[k-1], High: sorted[n-k], Confidence: sure, N: n}
}

// covered is the probability that the median lies between the k-th smallest and the k-th greatest of n samples.
func covered(n, k int) float64 {
	if n > 1000 { // as good as normal by then
		return math.Erf((float64(n)/2 - float64(k) + 0.5) / math.Sqrt(float64(n)/2))
	}
	term, below := math.Pow(0.5, float64(n)), 0.0 // C(n, i) / 2^n
	for i := range k {
		below += term
		term *= float64(n-i) / float64(i+1)
	}
	return max(1-2*below, 0)
}
