package signalling

import (
	"context"

	"github.com/fanfare-relay/fanfare/media"
)

// Media is what signalling needs of the data plane: SDP text in, SDP text out.
// Implementations are safe for concurrent use. Errors wrap the sentinels of package media.
// Events (media.Event) come back through the function given at construction; that
// function must not block.
type Media interface {
	// Publish accepts a WHIP offer (RFC 9725) for the stream and takes over from a publisher
	// that is already there: its session ends with media.CloseReplaced, the stream's
	// subscribers stay.
	Publish(ctx context.Context, stream, offer string, options media.PublishOptions) (media.Answer, error)
	// Subscribe accepts a WHEP offer. The stream need not be live: media flows when it comes.
	Subscribe(ctx context.Context, stream, offer string) (media.Answer, error)
	// Patch applies a trickle-ice-sdpfrag (RFC 8840): candidates, or an ICE restart when the
	// fragment's credentials differ from the session's.
	Patch(ctx context.Context, id media.SessionID, fragment string) (media.PatchAnswer, error)
	// Wish tells what a viewer wants of the picture; media.ErrNoSuchSession for others.
	Wish(id media.SessionID, wish media.Wish) error
	// Picture tells what a viewer can get of the picture and what it gets now, by all wishes
	// before; media.ErrNoSuchSession for others.
	Picture(ctx context.Context, id media.SessionID) (media.Picture, error)
	// Lines tells what each connected viewer of the stream gets, as far as it is known before ctx ends.
	Lines(ctx context.Context, stream string) map[media.SessionID]media.ViewerLine
	// Relaying tells what was done with the stream.
	Relaying(stream string) media.Relaying
	// Close ends one session; media.ErrNoSuchSession when there is none.
	Close(id media.SessionID, reason media.CloseReason) error
	// CloseStream ends every session of the stream, publisher and subscribers, and forgets it.
	CloseStream(stream string, reason media.CloseReason)
}
