package media

// Patch is what is added to the numbering inside VP8 and VP9 payloads (RFC 7741
// section 4.2, RFC 9628 section 4.2), so that it keeps rising for a viewer while sources
// change and frames are left out. The zero value leaves payloads as they are.
type Patch struct {
	// PictureID is added modulo 2^15.
	PictureID uint16
	// TL0PicIdx is added modulo 2^8.
	TL0PicIdx uint8
}
