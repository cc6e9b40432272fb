package fanfare_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDecisionsAreNumbered: a number names one decision, in the file's name and in its title.
func TestDecisionsAreNumbered(t *testing.T) {
	pages, err := filepath.Glob("docs/adr/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("docs/adr: %d pages, %v", len(pages), err)
	}
	named := regexp.MustCompile(`^(\d{4})-[a-z0-9-]+\.md$`)
	owner := make(map[string]string)
	for _, page := range pages {
		match := named.FindStringSubmatch(filepath.Base(page))
		if match == nil {
			t.Errorf("%s: the name is not NNNN-title.md", page)
			continue
		}
		if other := owner[match[1]]; other != "" {
			t.Errorf("%s and %s share a number", other, page)
		}
		owner[match[1]] = page
		if text := read(t, page); !strings.HasPrefix(text, "# "+match[1]+" ") {
			t.Errorf("%s: the title does not begin with %q", page, "# "+match[1]+" ")
		}
	}
}

// TestLinksLeadToFiles: links and pictures of the pages lead to files that are there, and a link
// whose text is a decision's number leads to that decision.
func TestLinksLeadToFiles(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md", "deploy/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	link := regexp.MustCompile(`\[([^\]]*)\]\(([^)#\s]+)[^)]*\)`)
	number := regexp.MustCompile(`^\d{4}$`)
	for _, page := range pages {
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			text, target := match[1], match[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), filepath.FromSlash(target))); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", page, target)
			}
			if number.MatchString(text) && !strings.HasPrefix(filepath.Base(target), text+"-") {
				t.Errorf("%s: the link [%s] leads to %s", page, text, target)
			}
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
