// Command fanfare is the relay, its tools and its clients in one binary.
//
// There is one file a subcommand: flags become a config, the config is wired to the packages
// that do the work, and the command runs until it is done or interrupted. Every flag is also
// an environment variable (FANFARE_LISTEN for --listen). A failure is one line on standard
// error that says what to do next; exit codes are 0 (done), 1 (failed) and 2 (wrong usage).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli has one field a subcommand; each subcommand's file declares its struct and Run method.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the server: web pages, signalling and media relay."`
	Publish publishCmd `cmd:"" help:"Publish files to a server, as they are."`
	Watch   watchCmd   `cmd:"" help:"Watch a stream: figures, and a recording if wanted."`
	Send    sendCmd    `cmd:"" help:"Share files and folders, straight to the receivers."`
	Get     getCmd     `cmd:"" help:"Fetch what somebody shares, by a link or a short code."`
	Load    loadCmd    `cmd:"" help:"Measure a server with many viewers."`
	Compare compareCmd `cmd:"" help:"Compare topologies: by the relay, from the uploader, from viewer to viewer."`
	Key     keyCmd     `cmd:"" help:"Make, list and revoke keys for publishing."`

	Simulate simulateCmd `cmd:"" help:"Run in virtual time what takes many peers."`

	CompareRole compareRoleCmd `cmd:"" hidden:"" help:"What compare starts for each role that has a process of its own."`

	Version versionCmd `cmd:"" help:"Print the version."`
}

// stdio is what a command reads and writes; tests give their own.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a wrong combination or value of flags, found after parsing.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// ExitCode makes kong and run return the code for wrong usage.
func (usageError) ExitCode() int { return exitUsage }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends in good order; a second one must be able to kill.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// helpShown leaves kong's parser after it has printed a help text.
type helpShown int

func run(ctx context.Context, args []string, std stdio) (code int) {
	defer func() {
		if shown, ok := recover().(helpShown); ok {
			code = int(shown)
		}
	}()
	parser, err := newParser(ctx, std)
	if err != nil {
		return fail(std, err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return fail(std, usageError{err.Error() + "; see fanfare --help"})
	}
	if err := parsed.Run(); err != nil {
		return fail(std, err)
	}
	return 0
}

func newParser(ctx context.Context, std stdio) (*kong.Kong, error) {
	return kong.New(&cli{},
		kong.Name("fanfare"),
		kong.Description("Stream a video from your browser to many viewers, and share files among many, by a server of your own."),
		kong.UsageOnError(),
		kong.DefaultEnvars("FANFARE"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(std.out, std.err),
		kong.Exit(func(code int) { panic(helpShown(code)) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(std),
	)
}

func fail(std stdio, err error) int {
	fmt.Fprintln(std.err, "fanfare:", oneLine(err.Error()))
	var coded kong.ExitCoder
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return exitFailed
}

// oneLine keeps the promise of one line for errors that come from elsewhere, such as a server's, and of no more
// than text.
func oneLine(text string) string { return strings.Join(strings.Fields(harmless(text)), " ") }

type versionCmd struct{}

// Run prints the version that the build recorded.
func (versionCmd) Run(std stdio) error {
	_, err := fmt.Fprintln(std.out, "fanfare", version())
	return err
}

// version is the module's version, or the commit for a build from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			revision = s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+changes"
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	if revision == "" {
		return "devel"
	}
	return "devel " + revision + dirty
}
