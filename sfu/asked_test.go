package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/fanfare-relay/fanfare/media/report"
)

// A viewer's question for the round trip is answered once, with how long the answer has waited.
func TestRoundTripForViewers(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	asked := asked{}
	if got := asked.append([]byte{1}, 7, now); len(got) != 1 {
		t.Fatalf("an answer that nobody asked for: %x", got)
	}
	sent := report.NTPOf(now)
	raw, err := (&rtcp.ExtendedReport{SenderSSRC: 99, Reports: []rtcp.ReportBlock{
		&rtcp.UnknownReportBlock{XRHeader: rtcp.XRHeader{BlockType: 200}, Bytes: make([]byte, 4)},
		&rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: uint64(sent)},
	}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	question := &rtcp.ExtendedReport{}
	if err := question.Unmarshal(raw); err != nil {
		t.Fatal(err)
	}
	asked.note(question, now)
	pkts, err := rtcp.Unmarshal(asked.append(nil, 7, now.Add(250*time.Millisecond)))
	if err != nil || len(pkts) != 1 {
		t.Fatalf("the answer cannot be read: %v", err)
	}
	answer, ok := pkts[0].(*rtcp.ExtendedReport)
	if !ok || answer.SenderSSRC != 7 || len(answer.Reports) != 1 {
		t.Fatalf("the answer is %v", pkts[0])
	}
	block, ok := answer.Reports[0].(*rtcp.DLRRReportBlock)
	if !ok || len(block.Reports) != 1 || block.Reports[0] != (rtcp.DLRRReport{SSRC: 99, LastRR: sent.Middle(), DLRR: 1 << 14}) {
		t.Errorf("the answer says %v", answer.Reports[0])
	}
	if got := asked.append(nil, 7, now); got != nil {
		t.Errorf("it is answered twice: %x", got)
	}
}
