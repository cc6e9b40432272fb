package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	comparison "github.com/fanfare-relay/fanfare/compare/report"
)

// outFolder is where the files of a comparison go. Each of them is there whole, as it is or as it was.
type outFolder string

const (
	samplesFile = "samples.json"
	draftEnding = ".part"
)

// prepare makes the folder, and sees whether files can be written there: before anything is measured.
func (o outFolder) prepare() error {
	err := os.MkdirAll(string(o), 0o755)
	if err == nil {
		err = o.probe(filepath.Join(string(o), samplesFile+draftEnding))
	}
	if err != nil {
		return fmt.Errorf("nothing can be written to the folder %s (%w); name another one by --out", o, cause(err))
	}
	return nil
}

func (o outFolder) probe(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte{0}) // a full disk lets empty files be made
	return errors.Join(err, f.Close(), os.Remove(path))
}

// hasSpace sees whether a folder for temporary files has room for so many bytes, where the system tells.
func hasSpace(dir string, need int64, free func(string) (int64, error)) error {
	there, err := free(dir)
	if err != nil || there >= need {
		return nil // what is not known is found out by writing
	}
	name := "TMPDIR"
	if runtime.GOOS == "windows" {
		name = "TMP"
	}
	return fmt.Errorf("the files of this comparison need up to %s in %s, the folder for temporary files, and there are %s: make room there, or name another folder by %s",
		size(uint64(need)), dir, size(uint64(there)), name)
}

// cause is an error without the path of a file that a person has not named.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// keep writes samples.json while more is to come, so that a program that is killed, or a machine without power, leaves what was measured.
func (o outFolder) keep(d comparison.Document) error {
	d.Interrupted, d.Ended = true, "the program ended before it was done"
	return o.put(samplesFile, func(w io.Writer) error { return comparison.WriteJSON(w, d) })
}

// write writes the three files.
func (o outFolder) write(d comparison.Document) error {
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{samplesFile, func(w io.Writer) error { return comparison.WriteJSON(w, d) }},
		{"samples.csv", func(w io.Writer) error { return comparison.WriteCSV(w, d.Samples) }},
		{"report.html", func(w io.Writer) error { return comparison.WriteHTML(w, d) }},
	} {
		if err := o.put(file.name, file.write); err != nil {
			return fmt.Errorf("%s cannot be written to %s: %w", file.name, o, cause(err))
		}
	}
	return nil
}

// put writes a file through to the disk under another name, and then gives it its own.
func (o outFolder) put(name string, write func(io.Writer) error) error {
	path := filepath.Join(string(o), name)
	f, err := os.Create(path + draftEnding)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = write(w)
	err = errors.Join(err, w.Flush())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path+draftEnding))
	}
	return os.Rename(path+draftEnding, path)
}
