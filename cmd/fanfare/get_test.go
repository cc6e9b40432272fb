package main

import "testing"

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"one\n\ttwo, ü":              "one\n\ttwo, ü",
		"\x1b]52;c;cm0gLXJm\a":       "\uFFFD]52;c;cm0gLXJm\uFFFD",
		"invoice\u202Egpj.exe\r\x9b": "invoice\uFFFDgpj.exe\uFFFD\uFFFD",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
