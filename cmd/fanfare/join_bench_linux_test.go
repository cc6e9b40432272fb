package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v3"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

const (
	// asPion makes this test binary a server of the usual kind: see pionServer.
	asPion = "FANFARE_TEST_AS_PION"
	// profileTo makes a server of the benchmark write a profile of its processor time to this file.
	profileTo = "FANFARE_TEST_PROFILE"
	// joinRate is how many join a second.
	joinRate = 50
	// keyInterval is the time from one picture of the stream to the next: so long that media cost next to nothing.
	keyInterval = time.Second
)

// startProfile profiles this process until its standard input ends.
func startProfile() {
	name := os.Getenv(profileTo)
	if name == "" {
		return
	}
	f, err := os.Create(name)
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		panic(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		pprof.StopCPUProfile()
		_ = f.Close()
		os.Exit(0)
	}()
}

// BenchmarkJoin lets b.N viewers join, 50 a second, each with a TCP connection of its own, from the POST to the first
// SRTP packet, and tells what one costs the server's process (user and system, less what it uses when nobody joins).
// The other way is the usual one: a PeerConnection of pion for each viewer.
func BenchmarkJoin(b *testing.B) {
	for _, browser := range []string{"chromium", "firefox"} {
		b.Run("fanfare-"+browser, func(b *testing.B) {
			dir := b.TempDir()
			url, pid := benchServer(b, asProgram, "serve", "--dev", "--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0",
				"--data", dir, "--publish-key", testKey, "--log-level", "info")
			publishPictures(b, url+"/whip/bench")
			benchJoins(b, browser, url+"/whep/bench", pid)
		})
	}
	b.Run("pion-chromium", func(b *testing.B) {
		url, pid := benchServer(b, asPion)
		benchJoins(b, "chromium", url+"/whep/bench", pid)
	})
}

// benchServer runs this binary as a server and returns where it is.
func benchServer(b *testing.B, as string, args ...string) (url string, pid int) {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), as+"=1")
	if name := os.Getenv(profileTo); name != "" {
		cmd.Env = append(cmd.Env, profileTo+"="+name+"."+filepath.Base(b.Name()))
	}
	input, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = input.Close()
		if os.Getenv(profileTo) == "" {
			_ = cmd.Process.Kill()
		}
		_ = cmd.Wait() // tells of the signal
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := regexp.MustCompile(`Home +(\S+)/$`).FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
			return m[1], cmd.Process.Pid
		}
	}
	b.Fatal("the server has not started")
	return "", 0
}

func benchJoins(b *testing.B, browser, url string, pid int) {
	j, err := newJoiner("../../sfu/testdata/offer-" + browser + ".sdp")
	if err != nil {
		b.Fatal(err)
	}
	empty := memoryOf(b, pid)
	warm, _ := joinMany(b, j, url, 20)
	defer leaveAll(warm)
	quiet := idle(b, pid)
	b.ResetTimer()
	begin, before := time.Now(), processorTime(b, pid)
	seats, delays := joinMany(b, j, url, b.N)
	spent, lasted := processorTime(b, pid)-before, time.Since(begin)
	b.StopTimer()
	defer leaveAll(seats)
	after := idle(b, pid)
	spent -= time.Duration((quiet + after) / 2 * float64(lasted))
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "cpu-us/join")
	slices.Sort(delays)
	b.ReportMetric(float64(delays[len(delays)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(memoryOf(b, pid)-empty)/1024/float64(b.N+20), "rss-KiB/viewer")
	b.ReportMetric(after*1000, "then-ms/s")
}

// idle is the server's use of a processor while nobody joins, as a share of one.
func idle(b *testing.B, pid int) float64 {
	b.Helper()
	begin, before := time.Now(), processorTime(b, pid)
	pause(b.Context(), time.Second)
	return float64(processorTime(b, pid)-before) / float64(time.Since(begin))
}

func joinMany(b *testing.B, j *joiner, url string, n int) (seats []*seatTaken, delays []time.Duration) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute+time.Duration(n)*time.Second/joinRate)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	var failed []error
	next := time.Now()
	for range n {
		all.Go(func() {
			s, err := j.join(ctx, url)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, err)
				return
			}
			seats, delays = append(seats, s), append(delays, s.Playing)
		})
		next = next.Add(time.Second / joinRate)
		pause(ctx, time.Until(next))
	}
	all.Wait()
	if len(failed) > 0 {
		leaveAll(seats)
		b.Fatalf("%d of %d did not join: %v", len(failed), n, failed[0])
	}
	return seats, delays
}

func leaveAll(seats []*seatTaken) {
	for _, s := range seats {
		s.leave()
	}
}

// processorTime sums the threads' time on a processor, in nanoseconds (first figure of schedstat, proc(5)).
func processorTime(b *testing.B, pid int) (sum time.Duration) {
	b.Helper()
	files, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/schedstat")
	if err != nil || len(files) == 0 {
		b.Fatalf("no threads of process %d: %v", pid, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		first, _, _ := bytes.Cut(text, []byte(" "))
		n, err := strconv.ParseInt(string(first), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(n)
	}
	return sum
}

func memoryOf(b *testing.B, pid int) int64 {
	b.Helper()
	r, err := meter{pid: pid, on: true}.read()
	if err != nil {
		b.Fatal(err)
	}
	return r.rss
}

// publishPictures publishes a stream of a few small key frames until the end of the benchmark.
func publishPictures(b *testing.B, url string) {
	b.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = pc.Close() })
	track := pictureTrack(b)
	if _, err := pc.AddTrack(track); err != nil {
		b.Fatal(err)
	}
	connected := make(chan struct{})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			close(connected)
		}
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := pc.SetLocalDescription(offer); err != nil {
		b.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, strings.NewReader(pc.LocalDescription().SDP))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/sdp")
	req.Header.Set("Authorization", "Bearer "+testKey)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	answer, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != http.StatusCreated {
		b.Fatal(res.Status, err)
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(answer)}); err != nil {
		b.Fatal(err)
	}
	<-connected
	go writePictures(b.Context(), track)
}

func pictureTrack(t testing.TB) *webrtc.TrackLocalStaticRTP {
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "video", "bench")
	if err != nil {
		if t == nil {
			panic(err)
		}
		t.Fatal(err)
	}
	return track
}

func writePictures(ctx context.Context, track *webrtc.TrackLocalStaticRTP) {
	source := mediatest.NewSource(mediatest.SourceConfig{Codec: media.CodecVP8, Interval: keyInterval})
	for pause(ctx, keyInterval) {
		for _, p := range source.Next(mediatest.Frame{Key: true, Size: 400}) {
			_ = track.WriteRTP(p) // viewers come and go
		}
	}
}

// pionServer answers each viewer as the examples of pion do: a PeerConnection with the default interceptors that is
// given the one TrackLocalStaticRTP.
func pionServer() {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		panic(err)
	}
	engine, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := errors.Join(engine.RegisterDefaultCodecs(), webrtc.RegisterDefaultInterceptors(engine, registry)); err != nil {
		panic(err)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	track := pictureTrack(nil)
	go writePictures(context.Background(), track)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := pionAnswer(w, r, api, track); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	fmt.Printf("Home %s/\n", server.URL)
	select {}
}

func pionAnswer(w http.ResponseWriter, r *http.Request, api *webrtc.API, track *webrtc.TrackLocalStaticRTP) error {
	offer, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return err
	}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateFailed {
			_ = pc.Close()
		}
	})
	sender, err := pc.AddTrack(track)
	if err != nil {
		return err
	}
	go func() {
		buf := make([]byte, 1500)
		for {
			if _, _, err := sender.Read(buf); err != nil {
				return
			}
		}
	}()
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)}); err != nil {
		return err
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		return err
	}
	<-gathered
	w.Header().Set("Content-Type", "application/sdp")
	w.WriteHeader(http.StatusCreated)
	_, err = io.WriteString(w, pc.LocalDescription().SDP)
	return err
}

// otherProgram is what this test binary shall be instead of fanfare, or fanfare with a profile.
func otherProgram() func() {
	if os.Getenv(asPion) == "" && os.Getenv(asProgram) == "" {
		return nil
	}
	startProfile()
	if os.Getenv(asPion) != "" {
		return pionServer
	}
	return nil
}
