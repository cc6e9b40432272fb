package peer

import (
	"github.com/fanfare-relay/fanfare/mesh/manifest"
	"github.com/fanfare-relay/fanfare/mesh/seal"
	"github.com/fanfare-relay/fanfare/mesh/store"
)

// Offered is a manifest that the uploader has signed. It is the store.Checker of what was fetched by it.
type Offered struct {
	Manifest manifest.Manifest
	ID       manifest.ID
	Blob     []byte         // as it was signed
	Key      seal.PublicKey // the uploader's signing key, which is the link's
	// Checked is for Accept to tell how many bytes of what lies here from before it has looked at, of how many. It
	// does not wait. Nil where nobody asks.
	Checked func(done, all int64)
}

func openOffered(blob []byte, room string, key seal.PublicKey) (Offered, error) {
	m, id, err := manifest.Open(blob, room, func(message []byte, signature [64]byte) bool {
		return seal.Verify(key, signature, message) == nil
	})
	return Offered{Manifest: m, ID: id, Blob: blob, Key: key}, err
}

// Earlier is what was offered to an earlier run that has left an unfinished transfer in a folder: the
// uploader of the link has signed it. moved tells whether some of it was moved to its place. Nobody has
// to be there for it.
func Earlier(out string, link seal.Link) (o Offered, moved, ok bool) {
	found, ok := store.Find(out, link.Room)
	if !ok || len(found.Signer) != len(seal.PublicKey{}) {
		return o, false, false
	}
	key := seal.PublicKey(found.Signer)
	if key.Hash() != link.Key {
		return o, false, false
	}
	o, err := openOffered(found.Blob, link.Room, key)
	return o, found.Placed, err == nil
}

// Signed tells whether the uploader has signed a root for a piece.
func (o Offered) Signed(piece int, root store.Root) bool {
	return seal.Verify(o.Key, root.Signature, manifest.RootMessage(o.ID, uint32(piece), root.Hash)) == nil
}

// Genuine tells whether the bytes of a piece lead to its root.
func (Offered) Genuine(_ int, root store.Root, bytes []byte) bool {
	return treeOf(bytes).Root() == root.Hash
}
