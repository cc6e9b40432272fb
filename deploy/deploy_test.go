// Package deploy_test reads the container file, the compose file and the systemd unit as far as a
// machine without a container engine can: their shape, what they promise, and that each setting
// they name is one that the program has. It also builds the static program that they run.
package deploy_test

import (
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// instruction is one line of a container file, continuation lines joined.
type instruction struct{ name, rest string }

// stages reads a container file into its build stages, each beginning with FROM.
func stages(t *testing.T, file string) [][]instruction {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]instruction
	joined := regexp.MustCompile(`\\\n\s*`).ReplaceAllString(string(text), " ")
	for line := range strings.Lines(joined) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		if name == "FROM" {
			out = append(out, nil)
		}
		if len(out) == 0 {
			t.Fatalf("%s: %q stands before the first FROM", file, line)
		}
		out[len(out)-1] = append(out[len(out)-1], instruction{name, strings.TrimSpace(rest)})
	}
	return out
}

func find(stage []instruction, name string) []string {
	var out []string
	for _, i := range stage {
		if i.name == name {
			out = append(out, i.rest)
		}
	}
	return out
}

func TestContainerfile(t *testing.T) {
	all := stages(t, "Containerfile")
	if len(all) != 2 {
		t.Fatalf("%d stages, want a build and a result", len(all))
	}
	build, result := all[0], all[1]

	if from := find(build, "FROM"); !regexp.MustCompile(`^golang:\d+\.\d+\S* AS build$`).MatchString(from[0]) {
		t.Errorf("the build stands on %q, which is no fixed version of Go", from[0])
	}
	if runs := strings.Join(find(build, "RUN"), "\n"); !strings.Contains(runs, "CGO_ENABLED=0 go build -trimpath") {
		t.Error("the program is not built as a static one")
	}
	if from := find(result, "FROM"); from[0] != "scratch" {
		t.Errorf("the result stands on %q, want scratch", from[0])
	}
	if user := find(result, "USER"); len(user) != 1 || !regexp.MustCompile(`^[1-9]\d+:[1-9]\d+$`).MatchString(user[0]) {
		t.Errorf("USER %q: want one numeric user that is not root", user)
	}
	if ports := find(result, "EXPOSE"); !slices.Equal(ports, []string{"8080/tcp 8080/udp"}) {
		t.Errorf("EXPOSE %q: want HTTP and media", ports)
	}
	var entry []string
	if err := json.Unmarshal([]byte(find(result, "ENTRYPOINT")[0]), &entry); err != nil {
		t.Errorf("ENTRYPOINT must be a list, there is no shell: %v", err)
	}
	for _, stage := range all {
		for _, i := range stage {
			if i.name == "ADD" || strings.Contains(i.rest, ":latest") {
				t.Errorf("%s %s: use COPY and fixed versions", i.name, i.rest)
			}
		}
	}
}

// What COPY takes from the context must be there, and not be shut out by .dockerignore.
func TestContainerfileContext(t *testing.T) {
	ignore, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range stages(t, "Containerfile") {
		for _, rest := range find(stage, "COPY") {
			words := strings.Fields(rest)
			if strings.HasPrefix(words[0], "--from=") || words[0] == "." {
				continue
			}
			for _, source := range words[:len(words)-1] {
				if _, err := os.Stat(filepath.Join("..", source)); err != nil {
					t.Errorf("COPY %s: %v", source, err)
				}
				if !slices.Contains(strings.Split(string(ignore), "\n"), "!"+source) {
					t.Errorf("COPY %s: .dockerignore shuts it out", source)
				}
			}
		}
	}
}

// The image is built from what .dockerignore lets through: every package of the program must be there.
func TestDockerignoreLetsTheProgramThrough(t *testing.T) {
	ignore, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("go", "list", "-deps", "-f", `{{if not .Standard}}{{with .Module}}{{if .Main}}{{$.ImportPath}}{{end}}{{end}}{{end}}`, "./cmd/fanfare")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for importPath := range strings.FieldsSeq(string(out)) {
		rel := strings.TrimPrefix(importPath, "github.com/fanfare-relay/fanfare/")
		top, _, _ := strings.Cut(rel, "/")
		if !strings.Contains(string(ignore), "\n!"+top+"\n") && !strings.Contains(string(ignore), "\n!"+top+"/*.go\n") {
			t.Errorf("%s is part of the program and .dockerignore shuts it out", rel)
		}
	}
}

func TestCompose(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct {
			Build       struct{ Context, Dockerfile string }
			Ports       []string
			Environment map[string]*string
			Volumes     []string
			ReadOnly    bool     `yaml:"read_only"`
			CapDrop     []string `yaml:"cap_drop"`
			SecurityOpt []string `yaml:"security_opt"`
		}
		Volumes map[string]any
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	s, ok := file.Services["fanfare"]
	if !ok {
		t.Fatal("no service fanfare")
	}
	if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
		t.Errorf("build: %v", err)
	}
	if want := []string{"8080:8080/tcp", "8080:8080/udp"}; !slices.Equal(s.Ports, want) {
		t.Errorf("ports %v, want %v", s.Ports, want)
	}
	if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		t.Error("want a read-only container without capabilities or new privileges")
	}
	for _, volume := range s.Volumes {
		name, target, _ := strings.Cut(volume, ":")
		if _, ok := file.Volumes[name]; !ok || target != "/data" {
			t.Errorf("volume %q: want a named one at /data", volume)
		}
	}
}

// unit reads a systemd unit into "Section.Key" → values; systemd allows a key more than once.
func unit(t *testing.T, file string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
		} else if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			out[section+"."+key] = append(out[section+"."+key], value)
		} else if line != "" && !strings.HasPrefix(line, "#") {
			t.Errorf("%s: cannot read %q", file, line)
		}
	}
	return out
}

func TestUnit(t *testing.T) {
	got := unit(t, "fanfare.service")
	want := map[string]string{
		"Install.WantedBy":               "multi-user.target",
		"Service.CapabilityBoundingSet":  "",
		"Service.DynamicUser":            "yes",
		"Service.ExecStart":              "/usr/local/bin/fanfare serve",
		"Service.MemoryDenyWriteExecute": "yes",
		"Service.NoNewPrivileges":        "yes",
		"Service.ProtectHome":            "yes",
		"Service.ProtectSystem":          "strict",
		"Service.Restart":                "always",
		"Service.StateDirectory":         "fanfare",
		"Service.SystemCallFilter":       "@system-service",
	}
	for key, value := range want {
		if values := got[key]; len(values) == 0 || values[0] != value {
			t.Errorf("%s is %q, want %q", key, values, value)
		}
	}
	if data := got["Service.Environment"]; !slices.Contains(data, "FANFARE_DATA=%S/fanfare") {
		t.Errorf("the data folder is not the state directory: %q", data)
	}
}

// program builds the static program as the container file does.
func program(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fanfare")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "../cmd/fanfare")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

func TestProgram(t *testing.T) {
	file := program(t)
	if runtime.GOOS == "linux" {
		binary, err := elf.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer binary.Close()
		for _, part := range binary.Progs {
			if part.Type == elf.PT_INTERP {
				t.Error("the program wants a dynamic linker: it does not run in an empty image")
			}
		}
	}
	out, err := exec.Command(file, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "fanfare ") {
		t.Errorf("version: %q, %v", out, err)
	}
	help, err := exec.Command(file, "serve", "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("serve --help: %v\n%s", err, help)
	}
	settingsExist(t, string(help))
}

// settingsExist checks every FANFARE_… in this folder's files against the flags of serve.
func settingsExist(t *testing.T, help string) {
	t.Helper()
	for _, file := range []string{"Containerfile", "compose.yaml", "fanfare.service", "README.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`\bFANFARE_[A-Z_]+`).FindAllString(string(text), -1) {
			flag := "--" + strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "FANFARE_"), "_", "-"))
			if !strings.Contains(help, flag) {
				t.Errorf("%s names %s, but serve has no %s", file, name, flag)
			}
		}
	}
}
