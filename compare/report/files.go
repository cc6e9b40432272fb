package report

import (
	"github.com/fanfare-relay/fanfare/compare/stats"
)

// FileFigure is what all valid runs of one way of a file at one point say. Times are in seconds from the beginning.
type FileFigure struct {
	Cell
	// First, Median and Last are when receivers had everything.
	First  stats.Interval `json:"first"`
	Median stats.Interval `json:"median"`
	Last   stats.Interval `json:"last"`
	// Bound is the least time, Share what part of Last it is.
	Bound float64        `json:"bound"`
	Share stats.Interval `json:"share"`
	// Upload and Download are the legs of a way through the server; nobody has anything before the first is over.
	Upload   stats.Interval `json:"upload"`
	Download stats.Interval `json:"download"`
	// Copies is what the uploader sent of the file; the others are what lines carried, in MB.
	Copies   stats.Interval `json:"copies"`
	Uploader stats.Interval `json:"uploader"`
	Server   stats.Interval `json:"server"`
	PassedOn stats.Interval `json:"passed_on"`
}

// FileFigures computes those of files, in order.
func FileFigures(samples []Sample) []FileFigure {
	list := []FileFigure{}
	for _, group := range groups(samples, func(s Sample) bool { return s.Topology.OfFiles() }) {
		list = append(list, fileFigure(group))
	}
	return list
}

func fileFigure(samples []Sample) FileFigure {
	f := FileFigure{Cell: cellOf(samples[0])}
	c := columns{}
	for _, s := range samples {
		if s.Problem != "" || len(s.Receivers) == 0 {
			f.Invalid++
			continue
		}
		f.Runs++
		f.Bound = s.BoundSeconds
		times := make([]float64, len(s.Receivers))
		for i, r := range s.Receivers {
			times[i] = r.Seconds
		}
		last := stats.Quantile(times, 1)
		c.add(&f.First, stats.Quantile(times, 0))
		c.add(&f.Median, stats.Quantile(times, 0.5))
		c.add(&f.Last, last)
		c.add(&f.Share, s.BoundSeconds/last)
		if s.UploadSeconds > 0 {
			c.add(&f.Upload, s.UploadSeconds)
			c.add(&f.Download, last-s.UploadSeconds)
		}
		c.add(&f.Copies, s.CopiesSent)
		c.add(&f.Uploader, s.UploaderMB)
		c.add(&f.Server, s.ServerMB)
		c.add(&f.PassedOn, s.PassedOnMB)
	}
	c.fill()
	return f
}

// ProcessFigure is the processor time of all valid runs of one topology at one point, in percent of one processor.
type ProcessFigure struct {
	Cell
	// Uploader and Server are one process each, Viewer and Relay the median of all of that role, All the sum of everything.
	Uploader stats.Interval `json:"uploader"`
	Server   stats.Interval `json:"server"`
	Viewer   stats.Interval `json:"viewer"`
	Relay    stats.Interval `json:"relay"`
	// Browser is Relay with what a browser's decoding and encoding takes (Document.HopCPU).
	Browser stats.Interval `json:"browser"`
	All     stats.Interval `json:"all"`
	// Sends is to how many the uploader sends.
	Sends int `json:"sends"`
}

// ProcessFigures computes those of runs with a process for each role, in order, with what a browser's step takes in percent.
func ProcessFigures(samples []Sample, hopCPU float64) []ProcessFigure {
	list := []ProcessFigure{}
	for _, group := range groups(samples, func(s Sample) bool { return s.OwnProcesses }) {
		list = append(list, processFigure(group, hopCPU))
	}
	return list
}

func processFigure(samples []Sample, hopCPU float64) ProcessFigure {
	f := ProcessFigure{Cell: cellOf(samples[0])}
	c := columns{}
	roles := map[string]*stats.Interval{RoleUploader: &f.Uploader, RoleServer: &f.Server, RoleViewer: &f.Viewer, RoleRelay: &f.Relay}
	for _, s := range samples {
		if s.Problem != "" || s.Seconds == 0 {
			f.Invalid++
			continue
		}
		f.Runs++
		all, by := 0.0, map[string][]float64{}
		for _, p := range s.Processes {
			used := 100 * p.CPUSeconds / s.Seconds
			all += used
			by[p.Role] = append(by[p.Role], used)
			if p.Role == RoleUploader {
				f.Sends = p.Sends
			}
		}
		for role, used := range by {
			if at := roles[role]; at != nil {
				c.add(at, stats.Quantile(used, 0.5))
			}
			if role == RoleRelay {
				c.add(&f.Browser, stats.Quantile(used, 0.5)+hopCPU)
			}
		}
		c.add(&f.All, all)
	}
	c.fill()
	return f
}
