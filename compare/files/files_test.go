package files

import (
	"context"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/fanfare-relay/fanfare/compare/experiment"
)

// run is a small experiment, so quick that it says nothing about rates.
func run(t experiment.Topology) experiment.Run {
	return experiment.Run{Topology: t, Seed: 3, Point: experiment.Point{Viewers: 3, RoundTripMS: 10, LossBurst: 1, UplinkMbit: 100, DownlinkMbit: 200, FileMiB: 1}}
}

// TestWays: on every way everybody gets the whole file, no sooner than can be; the uploader sends what the way says.
func TestWays(t *testing.T) {
	for _, c := range []struct {
		topology     experiment.Topology
		least, most  float64 // copies that the uploader sends
		server, pass bool    // what sends bytes of the file
	}{
		{experiment.Swarm, 1, 2.99, false, true},
		{experiment.Copies, 3, 3.01, false, false},
		{experiment.HTTP, 1, 1, true, false},
	} {
		t.Run(string(c.topology), func(t *testing.T) {
			r, err := Measure(t.Context(), run(c.topology))
			if err != nil {
				t.Fatal(err)
			}
			const file = 1.048576 // MB
			for _, one := range r.Receivers {
				if !one.Whole || one.Bytes != 1<<20 || one.Seconds < r.BoundSeconds {
					t.Errorf("%+v; the bound is %.3f s", one, r.BoundSeconds)
				}
			}
			if len(r.Receivers) != 3 || r.CopiesSent < c.least || r.CopiesSent > c.most {
				t.Errorf("%d receivers, %.2f copies sent: %s", len(r.Receivers), r.CopiesSent, r.Problem)
			}
			if r.UploaderMB < c.least*file || (r.ServerMB >= 3*file) != c.server || (r.PassedOnMB > file/2) != c.pass {
				t.Errorf("the uploader sent %.2f MB, the server %.2f, receivers %.2f", r.UploaderMB, r.ServerMB, r.PassedOnMB)
			}
			if c.server == (r.UploadSeconds == 0) {
				t.Errorf("the upload took %.3f s", r.UploadSeconds)
			}
		})
	}
}

// TestSpace: it is what a run leaves behind in its folder at its end, and a little more.
func TestSpace(t *testing.T) {
	for _, way := range experiment.Files() {
		t.Run(string(way), func(t *testing.T) {
			s, err := open(run(way))
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(s.dir)
			s.begun = func() {}
			if way == experiment.HTTP {
				err = s.http(t.Context())
			} else {
				err = s.mesh(t.Context(), [][]*receiver{s.receivers})
			}
			if err != nil {
				t.Fatal(err)
			}
			taken := int64(0)
			err = filepath.WalkDir(s.dir, func(_ string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				info, err := d.Info()
				if err == nil {
					taken += info.Size()
				}
				return err
			})
			if space := Space(s.run); err != nil || taken > space || taken < space-beside {
				t.Errorf("it takes %d bytes, and says %d: %v", taken, space, err)
			}
		})
	}
}

// TestInterrupted: what had come is kept and marked.
func TestInterrupted(t *testing.T) {
	for _, way := range experiment.Files() {
		t.Run(string(way), func(t *testing.T) {
			slow := run(way)
			slow.Point.UplinkMbit = 1 // a copy takes nine seconds
			ctx, cancel := context.WithCancel(t.Context())
			r, err := measure(ctx, slow, cancel)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Interrupted || r.Problem != "it was interrupted" || len(r.Receivers) != 3 {
				t.Errorf("not marked: %+v", r)
			}
			for _, one := range r.Receivers {
				if one.Whole || one.Bytes >= 1<<20 {
					t.Errorf("%+v at once", one)
				}
			}
		})
	}
}

func TestNoWay(t *testing.T) {
	if _, err := Measure(t.Context(), run(experiment.Star)); err == nil {
		t.Error("a star of files")
	}
}

// TestShare: the headers that a bound takes off are those on the line. Of one receiver's copy there is nothing else but what its
// handshake, hashes and repeats take.
func TestShare(t *testing.T) {
	one := run(experiment.Copies)
	one.Point.Viewers, one.Point.FileMiB = 1, 4
	r, err := Measure(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	share := 4 * 1.048576 / r.UploaderMB
	if stated := experiment.Copies.Share(); math.Abs(share-stated) > 0.02 || share > stated {
		t.Errorf("%.4f of the line's bytes are the file's, not %.4f: %s", share, stated, r.Problem)
	}
}
