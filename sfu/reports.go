package sfu

import (
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
)

// reportReader reads a publisher's sender reports. pion makes one RTCP reader for each
// source and reads none of them by itself; reading them here, below its receivers, serves
// every source alike (pion's own way for simulcast, ReadSimulcastRTCP, looks at fields that
// other tracks are being written to).
type reportReader struct {
	interceptor.NoOp
	publisher *publisher
}

// NewInterceptor returns the reader itself: there is one for each session.
func (r *reportReader) NewInterceptor(string) (interceptor.Interceptor, error) { return r, nil }

// BindRTCPReader reads the source until its session ends.
func (r *reportReader) BindRTCPReader(reader interceptor.RTCPReader) interceptor.RTCPReader {
	if r.publisher.begin() {
		go r.read(reader)
	}
	return reader
}

func (r *reportReader) read(reader interceptor.RTCPReader) {
	defer r.publisher.tasks.Done()
	buf := make([]byte, receiveMTU)
	for {
		n, _, err := reader.Read(buf, nil)
		if err != nil {
			return
		}
		pkts, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, pkt := range pkts {
			if sr, ok := pkt.(*rtcp.SenderReport); ok {
				r.publisher.observeReport(sr, time.Now())
			}
		}
	}
}
