// Package experiments holds the experiments that come with the program.
package experiments

import (
	"embed"
	"path"
	"slices"
	"strings"
)

//go:embed *.toml
var files embed.FS

// All returns the files of the full comparison, or of the quick one, by name, and the names in their order.
func All(quick bool) (names []string, texts map[string][]byte, err error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, nil, err
	}
	texts = map[string][]byte{}
	for _, e := range entries {
		if strings.HasPrefix(path.Base(e.Name()), "quick") != quick {
			continue
		}
		if texts[e.Name()], err = files.ReadFile(e.Name()); err != nil {
			return nil, nil, err
		}
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, texts, nil
}
