package report

import (
	"cmp"
	"slices"

	"github.com/fanfare-relay/fanfare/compare/experiment"
	"github.com/fanfare-relay/fanfare/compare/stats"
)

// key is what the runs of one figure have in common.
type key struct {
	experiment, factor string
	value              float64
	topology           experiment.Topology
}

// groups are the samples that are wanted, by what they measure: in the order in which the experiments and their factors came, by value
// and topology.
func groups(samples []Sample, wanted func(Sample) bool) (list [][]Sample) {
	found, order := map[key][]Sample{}, []key{}
	for _, s := range samples {
		if !wanted(s) {
			continue
		}
		k := key{s.Experiment, s.Factor, s.Value, s.Topology}
		if found[k] == nil {
			order = append(order, k)
		}
		found[k] = append(found[k], s)
	}
	place := map[[2]string]int{}
	for _, k := range order {
		if _, ok := place[[2]string{k.experiment, k.factor}]; !ok {
			place[[2]string{k.experiment, k.factor}] = len(place)
		}
	}
	experiments := []string{}
	for _, k := range order {
		if !slices.Contains(experiments, k.experiment) {
			experiments = append(experiments, k.experiment)
		}
	}
	slices.SortStableFunc(order, func(a, b key) int {
		return cmp.Or(
			cmp.Compare(slices.Index(experiments, a.experiment), slices.Index(experiments, b.experiment)),
			cmp.Compare(place[[2]string{a.experiment, a.factor}], place[[2]string{b.experiment, b.factor}]),
			cmp.Compare(a.value, b.value), cmp.Compare(rank(a.topology), rank(b.topology)),
		)
	})
	for _, k := range order {
		list = append(list, found[k])
	}
	return list
}

// rank is the place of a topology wherever all are told of.
func rank(t experiment.Topology) int {
	return slices.Index(append(experiment.Media(), experiment.Files()...), t)
}

// columns collects, for each interval of a figure, a value of each run.
type columns map[*stats.Interval][]float64

func (c columns) add(i *stats.Interval, v float64) { c[i] = append(c[i], v) }

// quantile adds that of all values of a run, if there are any.
func (c columns) quantile(i *stats.Interval, values []float64, q float64) {
	if len(values) > 0 {
		c.add(i, stats.Quantile(values, q))
	}
}

func (c columns) fill() {
	for i, values := range c {
		*i = stats.Median(values)
	}
}

// mark is a median in a chart or a sentence.
type mark struct {
	topology experiment.Topology
	value    float64 // of the factor
	interval stats.Interval
}

// spot is what all kinds of figures have: where they belong.
type spot struct {
	experiment, factor string
	topology           experiment.Topology
	point              experiment.Point
}

// along picks what belongs to one factor of one experiment: where it varies, and the base point, with the factor's value there.
func along[F interface{ spot() spot }](figures []F, name, factor string) (list []F, values []float64) {
	for _, f := range figures {
		at := f.spot()
		if at.experiment == name && (at.factor == factor || at.factor == "") {
			list = append(list, f)
			values = append(values, at.point.Value(factor))
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(values)))) < 2 {
		return nil, nil
	}
	return list, values
}

// experimentsOf lists the names in order.
func experimentsOf[F interface{ spot() spot }](figures []F) (names []string) {
	for _, f := range figures {
		if name := f.spot().experiment; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
