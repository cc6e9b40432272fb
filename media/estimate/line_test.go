package estimate_test

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/pion/interceptor/pkg/twcc"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/estimate"
	"github.com/fanfare-relay/fanfare/media/mediatest"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// The layers of the sender, and what each needs with sound and repair.
var (
	layers = []media.Bitrate{150_000, 500_000, 2_400_000}
	sound  = media.Bitrate(32_000)
)

func need(layer int) media.Bitrate { return layers[layer] + layers[layer]/20 + sound }

type sentPacket struct {
	seq  uint16
	size int
}

// lineConfig is a viewer's line: the media's way is a bottleneck, the feedback's is not.
type lineConfig struct {
	seed         uint64
	rate         media.Bitrate
	queue        time.Duration // at rate
	rtt, jitter  time.Duration
	loss         float64
	feedback     time.Duration
	feedbackLoss float64
	turns        time.Duration // the last hop, a radio, speaks once in so long
	wholeBursts  bool          // padding leaves at once instead of paced
	repeats      bool          // whole packets instead of padding, beside the media instead of on top of it
	overtaking   bool          // jitter changes the order
	followTarget bool          // send what the target says, as an encoder would
}

// line is a sender of layers, a bottleneck and a receiver that reports, in steps of a millisecond.
type line struct {
	cfg  lineConfig
	rng  *rand.Rand
	est  estimate.Estimator
	down *mediatest.Bottleneck[sentPacket]
	up   *mediatest.Link[[]byte]
	now  time.Time

	seq       uint16
	layer     int
	layerAt   time.Time // of the last switch
	frameAt   time.Time
	soundAt   time.Time
	key       bool
	pad       int // bytes of a probe still to send
	padCount  int
	padRate   media.Bitrate
	padAt     time.Time
	got       []sentPacket
	recorder  *twcc.Recorder // pion's receiver
	reportAt  time.Time
	layersMax int // what the publisher sends
	loss      float64
	dead      bool      // nothing arrives
	paused    bool      // the publisher sends nothing
	held      time.Time // until then the last hop is silent
	switches  int
}

func newLine(cfg lineConfig) *line {
	if cfg.feedback == 0 {
		cfg.feedback = 100 * time.Millisecond
	}
	bytes := int(int64(cfg.rate) * int64(cfg.queue) / 8 / int64(time.Second))
	l := &line{
		cfg: cfg, rng: rand.New(rand.NewPCG(cfg.seed, 1)), est: estimate.New(estimate.Config{}), now: epoch,
		down: mediatest.NewBottleneck[sentPacket](cfg.rate, bytes, mediatest.LinkConfig{
			Seed: cfg.seed, Delay: cfg.rtt / 2, Jitter: cfg.jitter, InOrder: !cfg.overtaking,
		}),
		up: mediatest.NewLink[[]byte](mediatest.LinkConfig{
			Seed: cfg.seed + 1, Loss: cfg.feedbackLoss, Delay: cfg.rtt / 2, Jitter: cfg.jitter, InOrder: true,
		}),
		recorder: twcc.NewRecorder(2), frameAt: epoch, soundAt: epoch, reportAt: epoch.Add(cfg.feedback),
		key: true, layersMax: len(layers), loss: cfg.loss,
	}
	return l
}

// run lets time pass, a millisecond a step, and calls each at every step.
func (l *line) run(d time.Duration, each func()) {
	for end := l.now.Add(d); l.now.Before(end); l.now = l.now.Add(time.Millisecond) {
		l.receive()
		l.choose()
		if !l.paused {
			l.send()
		}
		l.padding()
		if each != nil {
			each()
		}
	}
}

// choose is a selector with the margins that one needs: up with a tenth to spare, down when it no
// longer fits, not more than one switch a second up.
func (l *line) choose() {
	target, top, was := l.est.Target(), l.layersMax-1, l.layer
	l.layer = min(l.layer, top)
	for l.layer > 0 && target < need(l.layer)*19/20 {
		l.layer--
	}
	if l.layer == was && l.layer < top && target > need(l.layer+1) && l.now.Sub(l.layerAt) > time.Second {
		l.layer++
	}
	if l.layer != was {
		l.layerAt, l.key = l.now, true
		l.switches++
	}
	next := media.Bitrate(0)
	if l.layer < top {
		next = need(l.layer + 1)
	}
	l.est.SetDemand(need(l.layer), next)
}

func (l *line) send() {
	if !l.now.Before(l.soundAt) {
		l.packet(80)
		l.soundAt = l.soundAt.Add(20 * time.Millisecond)
	}
	if !l.now.Before(l.frameAt) {
		l.frame()
		l.frameAt = l.frameAt.Add(time.Second / 30)
	}
}

func (l *line) frame() {
	rate := layers[l.layer]
	if l.cfg.followTarget {
		rate = l.est.Target() - sound
	}
	size := float64(rate) / 8 / 30 * (0.7 + 0.6*l.rng.Float64())
	if l.key {
		size, l.key = size*5, false
	}
	for left := int(size); left > 0; left -= 1100 {
		l.packet(min(left, 1100) + 40)
	}
}

func (l *line) padding() {
	if l.pad <= 0 && l.padCount <= 0 {
		p, ok := l.est.Probe(l.now)
		if !ok {
			return
		}
		l.pad, l.padCount, l.padRate, l.padAt = p.Bytes, p.Packets, p.Rate, l.now
		if l.cfg.repeats {
			l.padRate = max(p.Rate-need(l.layer), p.Rate/4)
		}
	}
	size := 250
	if l.cfg.repeats {
		size = 1100
	}
	for (l.pad > 0 || l.padCount > 0) && (l.cfg.wholeBursts || !l.now.Before(l.padAt)) {
		l.packet(size)
		l.pad -= size
		l.padCount--
		l.padAt = l.padAt.Add(time.Duration(int64(size) * 8 * int64(time.Second) / int64(l.padRate)))
	}
}

func (l *line) packet(size int) {
	l.est.Sent(l.seq, size, l.now)
	if !l.dead && l.rng.Float64() >= l.loss {
		l.down.Send(sentPacket{l.seq, size}, size, l.now)
	}
	l.seq++
}

func (l *line) receive() {
	l.got = l.got[:0]
	if myTurn := l.cfg.turns == 0 || l.now.Sub(epoch)%l.cfg.turns == 0; myTurn && !l.now.Before(l.held) {
		l.got = l.down.AppendArrived(l.got, l.now)
	}
	for _, p := range l.got {
		l.recorder.Record(1, p.seq, l.now.Sub(epoch).Microseconds())
	}
	if !l.now.Before(l.reportAt) {
		l.reportAt = l.reportAt.Add(l.cfg.feedback)
		for _, fb := range l.recorder.BuildFeedbackPacket() {
			b, err := fb.Marshal()
			if err != nil {
				panic(err)
			}
			l.up.Send(b, l.now)
		}
	}
	for _, b := range l.up.AppendArrived(nil, l.now) {
		l.est.Feedback(b, l.now)
	}
}

// writer makes a feedback packet.
type writer struct {
	head, chunks, deltas []byte
	n                    int
	last                 time.Duration
}

func newWriter(base, count uint16, reference uint32, number uint8) *writer {
	w := &writer{last: time.Duration(reference) * 64 * time.Millisecond}
	w.head = []byte{0x8f, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2}
	w.head = binary.BigEndian.AppendUint16(w.head, base)
	w.head = binary.BigEndian.AppendUint16(w.head, count)
	w.head = binary.BigEndian.AppendUint32(w.head, reference<<8|uint32(number))
	return w
}

func (w *writer) add(received bool, at time.Duration) {
	if w.n%7 == 0 {
		w.chunks = append(w.chunks, 0xc0, 0)
	}
	if received {
		chunk := w.chunks[len(w.chunks)-2:]
		binary.BigEndian.PutUint16(chunk, binary.BigEndian.Uint16(chunk)|2<<(12-2*(w.n%7)))
		d := (at - w.last) / (250 * time.Microsecond)
		w.last += d * 250 * time.Microsecond
		w.deltas = binary.BigEndian.AppendUint16(w.deltas, uint16(int16(d)))
	}
	w.n++
}

func (w *writer) bytes() []byte {
	b := append(append(w.head, w.chunks...), w.deltas...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
	return b
}

// feedback says that count packets came a millisecond apart.
func feedback(base uint16, count int, reference uint32, number uint8) []byte {
	w := newWriter(base, uint16(count), reference, number)
	for i := range count {
		w.add(true, w.last+time.Duration(min(i, 1))*time.Millisecond)
	}
	return w.bytes()
}
