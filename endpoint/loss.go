package endpoint

import (
	"math/rand/v2"

	"github.com/pion/interceptor"
)

// badLine throws packets away before anybody has seen them.
type badLine struct {
	interceptor.NoOp
	share float64
}

// NewInterceptor implements interceptor.Factory.
func (l badLine) NewInterceptor(string) (interceptor.Interceptor, error) { return &l, nil }

// BindRemoteStream implements interceptor.Interceptor.
func (l *badLine) BindRemoteStream(_ *interceptor.StreamInfo, next interceptor.RTPReader) interceptor.RTPReader {
	return interceptor.RTPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		for {
			n, attributes, err := next.Read(b, a)
			if err != nil || rand.Float64() >= l.share {
				return n, attributes, err
			}
		}
	})
}
