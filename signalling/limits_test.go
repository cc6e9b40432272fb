package signalling

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/signalling/store"
)

func TestRates(t *testing.T) {
	r := serve(t)
	for i := range refusedPerMinute {
		if res := r.offer("/whip/a", "wrong"); res.StatusCode != http.StatusUnauthorized {
			t.Fatalf("refusal %d: %s", i, describe(res))
		}
	}
	res := r.offer("/whip/a", r.key)
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("after %d refusals: %s, Retry-After %q", refusedPerMinute, describe(res), res.Header.Get("Retry-After"))
	}
	checkProblem(t, res, "rate")
	// What needs no key is judged before.
	if res := r.ask(http.MethodPost, "/whip/a", strings.NewReader("x")); res.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("wrong type: %s", describe(res))
	}

	hash, err := cheapHash("right")
	if err := errors.Join(err, r.store.CreateStream("locked", store.Stream{Password: hash}), r.store.CreateStream("open", store.Stream{})); err != nil {
		t.Fatal(err)
	}
	for i := range wrongPerMinute {
		if res := r.offer("/whep/locked", "wrong"); res.StatusCode != http.StatusUnauthorized {
			t.Fatalf("wrong password %d: %s", i, describe(res))
		}
	}
	if res := r.offer("/whep/locked", "right"); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("after %d wrong passwords: %s", wrongPerMinute, describe(res))
	}
	if res := r.offer("/whep/open", ""); res.StatusCode != http.StatusCreated {
		t.Errorf("an open stream is slowed down too: %s", describe(res))
	}
}

// TestPasswordsGuessedAtOnce: a burst gets no more guesses than a patient guesser, but for the two that are compared at
// the same time.
func TestPasswordsGuessedAtOnce(t *testing.T) {
	r := serve(t)
	hash, err := cheapHash("right")
	if err := errors.Join(err, r.store.CreateStream("locked", store.Stream{Password: hash})); err != nil {
		t.Fatal(err)
	}
	var compared, slowed atomic.Int32
	var burst sync.WaitGroup
	for i := range 50 {
		burst.Go(func() {
			rec := httptest.NewRecorder()
			req := httptest.NewRequest(http.MethodPost, "/whep/locked", strings.NewReader("v=0 offer"))
			req.Header.Set("Content-Type", typeSDP)
			req.Header.Set("Authorization", fmt.Sprint("Bearer guess-", i))
			r.srv.Handler().ServeHTTP(rec, req)
			switch rec.Code {
			case http.StatusUnauthorized:
				compared.Add(1)
			case http.StatusTooManyRequests:
				slowed.Add(1)
			}
		})
	}
	burst.Wait()
	if n := compared.Load(); n < wrongPerMinute || n > wrongPerMinute+1 || n+slowed.Load() != 50 {
		t.Errorf("%d of 50 guesses were compared, %d slowed down", n, slowed.Load())
	}
}

func TestUnfinishedSessionsAreCapped(t *testing.T) {
	r := serve(t)
	if err := r.store.CreateStream("a", store.Stream{}); err != nil {
		t.Fatal(err)
	}
	var last string
	for i := range maxUnfinishedEach {
		res := r.offer("/whep/a", "")
		if res.StatusCode != http.StatusCreated {
			t.Fatalf("offer %d: %s", i, describe(res))
		}
		last = res.Header.Get("Location")
	}
	res := r.offer("/whep/a", "")
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %s", describe(res))
	}
	checkProblem(t, res, "unfinished")
	r.plane.connect(sessionOf(last))
	if res := r.offer("/whep/a", ""); res.StatusCode != http.StatusCreated {
		t.Errorf("after one has connected: %s", describe(res))
	}
	r.plane.CloseStream("a", media.CloseUnfinished)
	r.srv.hub.mu.Lock()
	defer r.srv.hub.mu.Unlock()
	if n := len(r.srv.hub.unfinished) + len(r.srv.hub.sessions) + len(r.srv.hub.early); n != 0 {
		t.Errorf("%d things are still remembered", n)
	}
}
