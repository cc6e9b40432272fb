// Command compared makes the tables of docs/COMPARISON.md.
//
// With -from it reads the samples.json of a `fanfare compare`, computes its figures as the report does
// (compare/report), and keeps them in docs/comparison.json. The tables are made of that file alone, so that a
// test can hold the page to it. It measures nothing and writes no prose: what the figures mean is written
// between the tables, by hand.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/fanfare-relay/fanfare/bench/page"
	"github.com/fanfare-relay/fanfare/compare/report"
)

func main() {
	from := flag.String("from", "", "the samples.json of a comparison; without it the tables are made again of the figures there are")
	commit := flag.String("commit", "", "the commit of the program that measured, where its samples do not tell it")
	kept := flag.String("figures", "docs/comparison.json", "the figures")
	out := flag.String("out", "docs/COMPARISON.md", "the page to write")
	flag.Parse()
	if err := compared(*from, *commit, *kept, *out); err != nil {
		fmt.Fprintln(os.Stderr, "compared:", err)
		os.Exit(1)
	}
}

func compared(from, commit, kept, out string) error {
	if from != "" {
		d, err := readSamples(from)
		if err != nil {
			return err
		}
		if err := figuresOf(d, commit).write(kept); err != nil {
			return err
		}
	}
	f, err := readFigures(kept)
	if err != nil {
		return err
	}
	for _, s := range f.sections() {
		if err := page.Write(out, s.name, s.body); err != nil {
			return err
		}
	}
	return nil
}

func readSamples(file string) (report.Document, error) {
	r, err := os.Open(file)
	if err != nil {
		return report.Document{}, err
	}
	defer r.Close()
	d, err := report.ReadJSON(r)
	if err != nil || len(d.Samples) == 0 {
		return d, fmt.Errorf("%s is not the samples.json of a comparison", file)
	}
	return d, nil
}
