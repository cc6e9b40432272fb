package sfu

import (
	"encoding/binary"
	"time"

	"github.com/fanfare-relay/fanfare/media"
	"github.com/fanfare-relay/fanfare/media/ext"
	"github.com/fanfare-relay/fanfare/media/fec"
)

const (
	// parityGroups stand side by side: a burst of as many losses can be repaired.
	parityGroups = 2
	// parityRoom is what the line must carry more than the picture with its parity.
	parityRoom = 1.1
)

// parity is what one viewer's picture is protected by, with a source and numbers of its own. It belongs
// to the viewer's worker.
type parity struct {
	format  parityFormat
	ssrc    media.SSRC
	seq     uint16
	wanted  fec.Switch
	encoder *fec.Encoder // nil while nothing is protected
}

// newParity returns nil for a viewer that takes none.
func newParity(t *trackOffer, ssrc trackSSRC) *parity {
	if ssrc.parity == 0 {
		return nil
	}
	return &parity{format: t.parity, ssrc: ssrc.parity, seq: uint16(randomUint64()) & 0x7fff}
}

func (p *parity) observe(lost float64, rtt time.Duration, now time.Time) {
	if p != nil {
		p.wanted.Observe(lost, rtt, now)
	}
}

// plan is how groups are to be made; not at all where the line has no room for parity beside the
// picture, since more packets would then be lost, not fewer. On the best quality the estimate ends
// before it can show the room: there the line is believed to have it until the estimate falls.
func (p *parity) plan(v *viewer) fec.Plan {
	plan := p.wanted.Plan()
	if plan.Size > 0 && v.estimates && !v.estimator.Proven() && float64(v.estimator.Target()) < parityRoom*float64(v.sending())*(1+1/float64(plan.Size)) {
		return fec.Plan{}
	}
	return plan
}

// protect takes a packet that the viewer has just been sent, and sends parity packets that are due.
func (w *worker) protect(v *viewer, t *egress, header, payload []byte, end bool, now time.Time) {
	p := t.parity
	plan := p.plan(v)
	if plan.Size == 0 {
		p.encoder = nil
		return
	}
	if p.encoder == nil {
		p.encoder = fec.NewEncoder(t.ssrc, parityGroups)
	}
	clearNumber(header, t.own.transport)
	p.encoder.Add(header, payload, now)
	for i := p.encoder.Due(plan, end, now); i >= 0; i = p.encoder.Due(plan, end, now) {
		w.sendParity(v, t, i, now)
	}
}

// clearNumber sets the transport-wide sequence number of a packet that has gone to zero, as receivers do
// before they decode: senders fill it in behind the encoder.
func clearNumber(header []byte, id uint8) {
	if id == 0 || len(header) < rtpHeader+4 {
		return
	}
	if raw, ok := ext.Find(binary.BigEndian.Uint16(header[rtpHeader:]), header[rtpHeader+4:], id); ok {
		clear(raw)
	}
}

// sendParity sends the parity packet of a group.
func (w *worker) sendParity(v *viewer, t *egress, group int, now time.Time) {
	p := t.parity
	payload, ts := p.encoder.Append(w.payload[:0], group)
	w.payload = payload
	p.seq++
	header := append(w.header[:0], 0x80, byte(p.format.pt))
	header = binary.BigEndian.AppendUint16(header, p.seq)
	header = binary.BigEndian.AppendUint32(header, ts)
	header = binary.BigEndian.AppendUint32(header, uint32(p.ssrc))
	v.numbered = t.own.transport != 0 && p.format.transportCC
	if v.numbered {
		binary.BigEndian.PutUint16(w.number16[:], v.transportSeq)
		header = ext.AppendRewritten(header, 0, nil, &ext.Map{}, ext.Element{ID: t.own.transport, Data: w.number16[:]})
		header[0] |= 0x10
	}
	if w.sealAndSend(v, header, payload, now) {
		w.tally.Parity++
	}
}
